"""Which pair is shown, and the one vote that it allows. No page in here."""

import random
import secrets
from dataclasses import dataclass

from arena import __version__
from arena.errors import InputError
from arena.records import Answer, Battle, Prompt, Vote, Winner
from arena.store import Store
from arena.store.evidence import PairColumns


@dataclass(frozen=True, slots=True)
class Shown:
    """A battle with what a person reads; nothing in it names a model before the vote."""

    battle: Battle
    prompt: Prompt
    first: Answer
    second: Answer


class NothingToVoteOnError(InputError):
    """No two models have answered the same prompt."""


def pair_probabilities(pairs: PairColumns) -> list[float]:
    """The probability of each pair of models: the fewer votes it has, the likelier it is."""
    weights = [1.0 / (1 + votes) for votes in pairs.votes]
    return [weight / sum(weights) for weight in weights]


def start(store: Store, voter: str, dice: random.Random) -> Shown:
    """Draw a pair, sides at random, and remember that it was shown to this voter."""
    pairs = store.evidence.pairs()
    if not pairs.model_a:
        raise NothingToVoteOnError("nothing to vote on")
    probabilities = pair_probabilities(pairs)
    (k,) = dice.choices(range(len(probabilities)), probabilities)
    shared = store.evidence.shared_prompts(pairs.model_a[k], pairs.model_b[k])
    prompt, *sides = dice.choice(shared)
    dice.shuffle(sides)
    battle = Battle(
        secrets.token_urlsafe(24),
        prompt,
        sides[0],
        sides[1],
        voter,
        probabilities[k] / len(shared),
    )
    store.battles.add([battle])
    return read(store, battle)


def read(store: Store, battle: Battle) -> Shown:
    """What was shown in a battle."""
    answers = store.answers.get([battle.first, battle.second])
    (prompt,) = store.prompts.where(key=battle.prompt_key)
    return Shown(battle, prompt, answers[battle.first], answers[battle.second])


def vote(
    store: Store, key: str, voter: str, winner: Winner, *, language: str, seconds: float | None
) -> Shown:
    """Store the vote on a battle, and return it to be revealed.

    Raises InputError for a battle that was never shown to this voter, and StoreError for
    one that was voted on already.
    """
    battle = store.battles.get([key]).get(key)
    if battle is None or not secrets.compare_digest(battle.voter, voter):
        raise InputError("this pair was not shown to you")
    store.votes.cast(
        Vote(
            battle.key,
            battle.prompt_key,
            battle.first,
            battle.second,
            winner,
            voter,
            language,
            battle.propensity,
            seconds,
            __version__,
        )
    )
    return read(store, battle)
