"""Judge cards: the YAML file, its templates, and how much of an answer fits."""
