"""Models answer prompts: prompt sets, what is missing of a run, candidates at work."""
