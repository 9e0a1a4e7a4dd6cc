"""Two states of a board: who moved, by how much, and what else is different."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from arena.compare.boards.resampled import CountedEvidence, change_errors, counted_evidence
from arena.compare.boards.settings import COMPARISONS_OF, JUDGE, PROMPTS_OF, setting_text
from arena.config import Config
from arena.leaderboard.board import policy_of
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.formats import to_json
from arena.leaderboard.ranking import leaderboard
from arena.records.errors import InputError
from arena.store import Store

PUBLISHED = "leaderboard.json"


@dataclass(frozen=True, slots=True)
class PublishedBoard:
    """A board as `leaderboard.json` has it.

    place: where it was read. ratings: by model, its rating and the ends of its interval, Elo
    points. ranks: by model. about: what it was made of and how, by name, as text. evidence: the
    comparisons themselves; None of a publication, which does not have them.
    """

    place: str
    ratings: Mapping[str, tuple[float, float, float]]
    ranks: Mapping[str, int]
    about: Mapping[str, str]
    confidence: float
    evidence: CountedEvidence | None = None


@dataclass(frozen=True, slots=True)
class RatingChange:
    """How a model moved. change, low, high: Elo points, beside the mean of the shared models."""

    model: str
    old: float
    new: float
    change: float
    low: float
    high: float
    old_rank: int
    new_rank: int

    @property
    def is_told(self) -> bool:
        """Whether chance does not explain the change at the boards' confidence."""
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True, slots=True)
class BoardDiff:
    """What is different between two boards.

    changes: of the models that both have, the largest first. came, left: models that only the new
    one has, or only the old one. settings: (what, old, new), of what is not the same. is_paired:
    whether intervals allow for what both boards stand on; else they take the boards for
    independent, which makes them too wide where the boards share votes or prompts.
    """

    changes: tuple[RatingChange, ...]
    came: tuple[str, ...]
    left: tuple[str, ...]
    settings: tuple[tuple[str, str, str], ...]
    is_paired: bool = False


def read_board(path: Path) -> PublishedBoard:
    """The board of a database, of a published site's folder, or of its leaderboard.json.

    Raises InputError where there is none.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; name a database or a published site")
    file = path / PUBLISHED if path.is_dir() else path
    if file.suffix == ".json":
        return _published(file)
    if path.is_dir():
        raise InputError(f"{path}: no {PUBLISHED} in it; name a database or a published site")
    store = Store(path, create=False)
    try:
        policy = policy_of(store, Config())
        gathered = gather(store, None, policy.fit.style, policy.rules, policy.ways)
        board = leaderboard(store, policy, gathered=gathered)
        evidence = counted_evidence(store, policy, gathered, board)
        return replace(_board(str(path), to_json(board), _inside(store)), evidence=evidence)
    finally:
        store.close()


def _published(file: Path) -> PublishedBoard:
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
        return _board(str(file), whole, {})
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file}: not a leaderboard that arena published") from error


def _inside(store: Store) -> dict[str, str]:
    """The judges with their cards, and the prompts, as far as a database tells of them."""
    cards = {judge.name: judge.key[:8] for judge in store.judges.where()}  # the latest stands
    sources: dict[str, int] = {}
    for prompt in store.prompts.where():
        sources[prompt.source or "-"] = sources.get(prompt.source or "-", 0) + 1
    found = {f"{JUDGE}{name}": key for name, key in cards.items()}
    return found | {f"{PROMPTS_OF}{name}": str(count) for name, count in sources.items()}


def _board(place: str, whole: Mapping[str, Any], inside: Mapping[str, str]) -> PublishedBoard:
    models = whole["models"]
    about = {name: str(whole[name]) for name in ("evidence", "label", "method")}
    about |= {f"{COMPARISONS_OF}{name}": str(n) for name, n in whole["counts"].items()}
    about |= {name: setting_text(value) for name, value in whole["settings"].items()}
    ratings = {m["model"]: (m["rating"], m["ci_low"], m["ci_high"]) for m in models}
    ranks = {m["model"]: int(m["rank_by_upper_end"]) for m in models}
    confidence = float(whole["settings"]["confidence"])
    return PublishedBoard(place, ratings, ranks, about | dict(inside), confidence)


def diff_boards(old: PublishedBoard, new: PublishedBoard) -> BoardDiff:
    """How the new board differs from the old one.

    Ratings are taken beside the mean of the models that both have, so that a model that came or
    left moves nobody. Where both boards have their comparisons, these are drawn anew together,
    see `change_errors`; else the variance of a change is the sum of both variances.
    Raises InputError where no model is in both.
    """
    shared = [name for name in old.ratings if name in new.ratings]
    if not shared:
        raise InputError(f"{old.place} and {new.place} have no model in common")
    means = [float(np.mean([b.ratings[name][0] for name in shared])) for b in (old, new)]
    is_paired = old.evidence is not None and new.evidence is not None
    errors = {name: math.hypot(_error(old, name), _error(new, name)) for name in shared}
    if old.evidence is not None and new.evidence is not None:
        errors |= change_errors(old.evidence, new.evidence, shared)
    z = float(norm.ppf(0.5 + new.confidence / 2.0))
    changes = []
    for name in shared:
        before, after = old.ratings[name][0], new.ratings[name][0]
        change, half = (after - means[1]) - (before - means[0]), z * errors[name]
        changes.append(
            RatingChange(
                name, before, after, change, change - half, change + half,
                old.ranks[name], new.ranks[name],
            )
        )  # fmt: skip
    return BoardDiff(
        tuple(sorted(changes, key=lambda one: (-abs(one.change), one.model))),
        tuple(sorted(set(new.ratings) - set(old.ratings))),
        tuple(sorted(set(old.ratings) - set(new.ratings))),
        _other_settings(old, new),
        is_paired,
    )


def _error(board: PublishedBoard, model: str) -> float:
    """The standard error behind a rating's interval."""
    _, low, high = board.ratings[model]
    return (high - low) / (2.0 * float(norm.ppf(0.5 + board.confidence / 2.0)))


def _other_settings(old: PublishedBoard, new: PublishedBoard) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (name, old.about.get(name, ""), new.about.get(name, ""))
        for name in sorted({*old.about, *new.about})
        if old.about.get(name) != new.about.get(name)
    )
