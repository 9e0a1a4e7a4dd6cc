"""A ranking taken to where people look: READMEs, other pages, data sets and Spaces, pictures."""
