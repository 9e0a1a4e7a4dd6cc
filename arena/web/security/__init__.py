"""What is let in, how often, and who a voter is."""
