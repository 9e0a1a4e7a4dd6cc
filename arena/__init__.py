"""An arena for open-ended answers: people's votes, judge models and benchmarks in one ranking."""

__version__ = "0.1.0"
