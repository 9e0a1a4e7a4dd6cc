"""What readers and writers of formats have in common, and how rows come into a store and out."""
