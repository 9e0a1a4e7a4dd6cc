"""A publication as data: `arena.json` with its schema, tables of everything, changes and a feed."""
