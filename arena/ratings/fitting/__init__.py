"""The Bradley–Terry fit: likelihood, Newton steps, ties, style, and what the data determines."""
