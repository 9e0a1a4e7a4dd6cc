"""Stored rows as comparisons: which votes count, by category, language and capability."""
