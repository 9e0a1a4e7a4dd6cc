"""Each voter beside all others: copies, suspicion, influence on the ranking."""
