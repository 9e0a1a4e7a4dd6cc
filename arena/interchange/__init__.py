"""Files of other tools and of this one: battles in, samples in and out."""
