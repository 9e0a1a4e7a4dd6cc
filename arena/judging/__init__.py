"""Judge models: cards, templates, verdicts in both orders, scores."""

from arena.judging.cards import JudgeCard, list_cards, load_card
from arena.judging.judge import judge

__all__ = ["JudgeCard", "judge", "list_cards", "load_card"]
