"""A board that exists: one model placed on it, and what changed between two of them."""
