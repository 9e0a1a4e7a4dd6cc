"""lm-eval as the harness: its requests go to our backends and our store."""
