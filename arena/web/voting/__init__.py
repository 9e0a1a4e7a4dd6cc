"""What a voter is shown next, the one vote it allows, and how it is taken, undone, reported."""
