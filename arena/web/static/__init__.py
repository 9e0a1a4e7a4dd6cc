"""The style sheet and scripts of the pages."""
