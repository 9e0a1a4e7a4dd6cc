"""Elo points: 400 points are odds of ten to one, and the mean over models is 1000."""

import math

from arena.ratings.arrays import Floats

POINTS_PER_LOG = 400.0 / math.log(10.0)
MEAN = 1000.0
# Standard deviation in points where a prior only has to keep ratings finite.
WEAK_PRIOR = 400.0


def to_points(theta: Floats) -> Floats:
    """Ratings in Elo points, mean 1000, of natural log-strengths of any origin."""
    points: Floats = MEAN + POINTS_PER_LOG * (theta - theta.mean())
    return points


def to_log(points: Floats) -> Floats:
    """Natural log-strengths, mean 0, of ratings in Elo points."""
    theta: Floats = (points - points.mean()) / POINTS_PER_LOG
    return theta
