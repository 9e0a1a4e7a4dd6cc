"""A reply read: the option, number, text or yes and no that it gives, and its score."""
