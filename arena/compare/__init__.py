"""Is one model better than another: paired differences, power, sequential stopping, placement.

`compare.report` answers the whole question; `docs/compare.md` has the formulas.
"""
