"""How far apart two models are: by their own prompts, put right by votes, or through a board."""
