"""Files that people and other tools write: where they are, encodings, tables, strict YAML."""
