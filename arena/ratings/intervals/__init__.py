"""Intervals and rank ranges: sandwich, bootstrap, shares and means, votes still needed."""
