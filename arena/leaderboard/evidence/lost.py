"""Prompts that a model has no answer to, as battles that it lost."""

from collections import defaultdict

from arena.leaderboard.evidence.groups import Group
from arena.store import Store

# The model without an answer, the prompt, the model that has one, and its answer.
LostBattle = tuple[str, str, str, str]


def lost_battles(store: Store, group: Group | None = None) -> list[LostBattle]:
    """Every prompt that a model has no answer to, beside each model that has one."""
    silent = [row for row in store.standing_unanswered().values() if row.sample == 0]
    if not silent:
        return []
    answers: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for model, prompt, key in store.evidence.shown_answers():
        answers[prompt].append((model, key))
    known = {model.name: model.key for model in store.models()}
    held = {
        prompt.key
        for prompt in store.prompts.where()
        if group is None or group.has_prompt(prompt.category, prompt.language)
    }
    return [
        (row.model, row.prompt_key, other, key)
        for row in silent
        if row.prompt_key in held and known.get(row.model) == row.model_key
        for other, key in answers[row.prompt_key]
        if other != row.model
    ]
