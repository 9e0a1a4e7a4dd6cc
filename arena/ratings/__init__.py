"""The rating engine: comparisons in, ratings with honest intervals out.

Only numpy and scipy are needed; the module works on its own, as a library.

    c = Comparisons.from_frame(frame)      # model_a, model_b, winner
    result = bradley_terry(c)              # Elo points, mean 1000, 95 % intervals
    result.as_rows()                       # the leaderboard, the best first
"""

from arena.ratings.agreement import (
    Agreement,
    agreement,
    cohen_kappa,
    flip_rate,
    krippendorff_alpha,
    position_bias,
    rank_correlation,
)
from arena.ratings.bradley_terry import bradley_terry
from arena.ratings.combined.combine import combine
from arena.ratings.combined.combined_result import CombinedResult, Label, Source
from arena.ratings.combined.panel import Panel, panel
from arena.ratings.combined.weighted_mean import Part, overall
from arena.ratings.comparisons import Comparisons, concat
from arena.ratings.elo import elo
from arena.ratings.fitting.connectivity import Unrated, unrated, without
from arena.ratings.fitting.fit_checks import GoodnessOfFit, WinMatrix, goodness_of_fit, win_matrix
from arena.ratings.fitting.style import STYLE_NAMES, Style, style_differences, style_of
from arena.ratings.intervals.estimates import Estimate, share, wilson
from arena.ratings.intervals.settling import Settling, settling
from arena.ratings.online import Online
from arena.ratings.options import CombineOptions, FitOptions
from arena.ratings.pairing.draws import NextPair, believed, next_pairs
from arena.ratings.pairing.prospect import Prospect, prospect
from arena.ratings.pairing.star import StarDesign, baseline_of, star
from arena.ratings.result import Coefficient, RatingResult, RatingRow, Settings
from arena.ratings.scale import WEAK_PRIOR
from arena.ratings.voter_audit.audit import CAP, Finding, Integrity, VoterReport, capped, integrity
from arena.ratings.voter_audit.influence import Influence, influence
from arena.ratings.voter_audit.suspicion import MEANINGS, SuspicionKind
from arena.records import Cluster, Interval, Method, PanelRule, Ties

__all__ = [
    "CAP",
    "MEANINGS",
    "STYLE_NAMES",
    "WEAK_PRIOR",
    "Agreement",
    "Cluster",
    "Coefficient",
    "CombineOptions",
    "CombinedResult",
    "Comparisons",
    "Estimate",
    "Finding",
    "FitOptions",
    "GoodnessOfFit",
    "Influence",
    "Integrity",
    "Interval",
    "Label",
    "Method",
    "NextPair",
    "Online",
    "Panel",
    "PanelRule",
    "Part",
    "Prospect",
    "RatingResult",
    "RatingRow",
    "Settings",
    "Settling",
    "Source",
    "StarDesign",
    "Style",
    "SuspicionKind",
    "Ties",
    "Unrated",
    "VoterReport",
    "WinMatrix",
    "agreement",
    "baseline_of",
    "believed",
    "bradley_terry",
    "capped",
    "cohen_kappa",
    "combine",
    "concat",
    "elo",
    "flip_rate",
    "goodness_of_fit",
    "influence",
    "integrity",
    "krippendorff_alpha",
    "next_pairs",
    "overall",
    "panel",
    "position_bias",
    "prospect",
    "rank_correlation",
    "settling",
    "share",
    "star",
    "style_differences",
    "style_of",
    "unrated",
    "wilson",
    "win_matrix",
    "without",
]
