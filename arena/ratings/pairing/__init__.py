"""Which pair is compared next, what the next votes settle, and what a fixed design costs."""
