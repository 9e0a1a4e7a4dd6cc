"""Judge models: cards, templates, verdicts in both orders, scores."""

from arena.judging.cards.card import JudgeCard, list_cards, load_card
from arena.judging.judge import MIN_PARSED, Judging, Plan, judge, plan, runs_here
from arena.judging.tasks import Wanted

__all__ = [
    "MIN_PARSED",
    "JudgeCard",
    "Judging",
    "Plan",
    "Wanted",
    "judge",
    "list_cards",
    "load_card",
    "plan",
    "runs_here",
]
