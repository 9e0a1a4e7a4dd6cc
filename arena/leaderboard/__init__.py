"""Everything between the stored rows and a ranking that is shown."""
