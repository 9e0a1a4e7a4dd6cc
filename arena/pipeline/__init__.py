"""All stages in order, as arena.yaml says, and what of a database no longer fits it."""
