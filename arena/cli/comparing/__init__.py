"""Commands that compare two models, two states of a board, or a new model with a board."""
