"""Files that people and other tools write: where they are, their encoding, tables, strict YAML."""
