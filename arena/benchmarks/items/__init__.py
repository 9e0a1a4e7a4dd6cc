"""Questions read from files, how they are put to a model, and as tasks of lm-eval."""
