"""Signs that a model was trained on a set: a warning beside the score, not a verdict.

Three measures, each with an interval over items. How much likelier a token of an item is than
one of the same item reworded, and than one of fresh items of the same kind (Oren et al. 2023
and Wei et al. 2023 compare likewise); and the share of items whose second half the model
writes word for word after the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from arena.backends import TextRequest
from arena.benchmarks.harness.requests import GenerationRequest, ModelRequests
from arena.benchmarks.items.reading import Item
from arena.generation.batch import Control, Progress
from arena.ratings.intervals.estimates import wilson
from arena.records import Check, Decoding, Model, Note
from arena.records.errors import InputError
from arena.store import Store

REWORDED, FRESH, VERBATIM = "than reworded", "than fresh", "completed verbatim"
_WARNINGS = {
    REWORDED: "contamination.reworded",
    FRESH: "contamination.fresh",
    VERBATIM: "contamination.verbatim",
}
SHORTEST, LONGEST = 16, 96  # characters of a second half that say enough
SUSPECT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Signs:
    """Checks of one set and model. skipped: what could not be measured, and why."""

    checks: tuple[Check, ...]
    skipped: tuple[str, ...]
    progress: Progress

    @property
    def warnings(self) -> list[Note]:
        """A note for each check whose interval leaves chance out."""
        return [note for check in self.checks if (note := warning(check))]


def warning(check: Check) -> Note | None:
    """What a check warns of; None where it is what chance gives."""
    by_chance = SUSPECT_SHARE if check.measure == VERBATIM else 0.0
    if check.low is None or check.high is None or check.low <= by_chance:
        return None
    return Note.of(
        _WARNINGS[check.measure],
        model=check.model,
        benchmark=check.benchmark,
        value=check.value,
        low=check.low,
        high=check.high,
        n=check.n,
    )


def contamination(
    store: Store,
    model: Model,
    name: str,
    items: Sequence[Item],
    fresh: Sequence[Item] = (),
    control: Control | None = None,
    confidence: float = 0.95,
) -> Signs:
    """Measure the signs, and store them as checks of that model and benchmark.

    Raises NoLikelihoodError where the model cannot tell likelihoods.
    """
    if not items:
        raise InputError(f"{name}: its items are not known, so nothing can be compared")
    asker = ModelRequests(store, model, control or Control())
    checks, skipped = [], []
    pairs = [item for item in items if item.reworded]
    own = _surprise(asker, [item.question for item in items])
    if len(pairs) > 1:
        again = _surprise(asker, [item.reworded for item in pairs])
        known = np.array([own[k] for k, item in enumerate(items) if item.reworded])
        checks.append(_check(model, name, REWORDED, *_paired(again - known, confidence)))
    else:
        skipped.append(f"{name}: no rewordings (a column `reworded`), so none are compared")
    if len(fresh) > 1 and len(items) > 1:
        others = _surprise(asker, [item.question for item in fresh])
        checks.append(_check(model, name, FRESH, *_welch(others, own, confidence)))
    else:
        skipped.append(f"{name}: no fresh items to compare with (--fresh FILE)")
    halves = [_halves(item.question) for item in items]
    if long := [half for half in halves if len(half[1]) >= SHORTEST]:
        hits = _verbatim(asker, long)
        share = wilson(hits, len(long), confidence)
        found = share.value, share.ci_low, share.ci_high, len(long)
        checks.append(_check(model, name, VERBATIM, *found))
    else:
        skipped.append(f"{name}: no item is long enough to be completed from its first half")
    store.checks.put(checks)
    asker.end()
    return Signs(tuple(checks), tuple(skipped), asker.progress)


def _surprise(asker: ModelRequests, texts: Sequence[str]) -> np.ndarray:
    """Negative log-likelihood of a token on average, in nats, by text: (texts,)."""
    rows = asker.likelihoods([TextRequest(text) for text in texts])
    return np.array([-row.logprob / max(1, row.tokens) for row in rows])


def _verbatim(asker: ModelRequests, halves: Sequence[tuple[str, str]]) -> int:
    decoding = Decoding(temperature=0.0, max_tokens=max(len(second) for _, second in halves))
    written = asker.write([GenerationRequest(first) for first, _ in halves], decoding)
    return sum(
        " ".join(done.text.split()).startswith(" ".join(second.split()))
        for done, (_, second) in zip(written, halves, strict=True)
    )


def _halves(text: str) -> tuple[str, str]:
    """Both halves of a text, parted at a space where it has some; of a long second the start."""
    middle = len(text) // 2
    space = text.find(" ", middle)
    at = space if 0 <= space < len(text) - 1 else middle
    return text[:at], text[at:][:LONGEST]


def _paired(differences: np.ndarray, confidence: float) -> tuple[float, float, float, int]:
    n = len(differences)
    half = stdtrit(n - 1, (1 + confidence) / 2) * differences.std(ddof=1) / np.sqrt(n)
    mean = float(differences.mean())
    return mean, mean - float(half), mean + float(half), n


def _welch(a: np.ndarray, b: np.ndarray, confidence: float) -> tuple[float, float, float, int]:
    """The difference of two means with Welch's interval."""
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error = np.sqrt(sum(parts))
    mean = float(a.mean() - b.mean())
    if error == 0:
        return mean, mean, mean, len(b)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = float(stdtrit(freedom, (1 + confidence) / 2) * error)
    return mean, mean - half, mean + half, len(b)


def _check(
    model: Model, name: str, measure: str, value: float, low: float, high: float, n: int
) -> Check:
    return Check(model.name, name, measure, value, low, high, n)
