"""What makes many votes quick: rows stored in bulk, and columns of them that are kept."""
