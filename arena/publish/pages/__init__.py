"""The other pages of the site: prompts to browse, what changed, and how it was made."""
