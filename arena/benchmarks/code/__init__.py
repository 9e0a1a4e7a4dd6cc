"""A model's code and its tests, run behind a wall."""
