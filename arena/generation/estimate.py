"""What a run would take, before anything is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.backends import cost_of
from arena.backends.base import estimate_tokens
from arena.generation.answering import Assignment
from arena.records import BackendKind, Model, Prompt, Usage
from arena.store import Store


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a run would take.

    rows: in all, with the stored ones. read, written: tokens, those read counted by their
    characters. seconds: None where no earlier call says how long one takes. again: calls that
    replies without a verdict may take beside these.
    """

    rows: int
    calls: int
    read: int
    written: int
    price: tuple[float, float] | None
    seconds: float | None
    again: int = 0

    @property
    def cost(self) -> float | None:
        """US dollars; None where the model has no price."""
        if self.price is None:
            return None
        return cost_of(Usage(self.read, self.written), self.price)


def estimate(
    store: Store,
    model: Model,
    prompts: Sequence[Prompt],
    *,
    samples: int = 1,
    concurrency: int = 1,
) -> CostEstimate:
    """What the missing answers of a model would take.

    Written tokens and seconds are those of its stored answers on average; without any, each turn
    is taken to use all of its room. A later turn reads all that was said before it.
    """
    asked = Assignment(model, prompts, samples)
    present = store.answers.present(asked.keys) | store.standing_unanswered().keys()
    tasks = zip(asked.tasks, asked.keys, strict=True)
    missing = [prompt for (prompt, _), key in tasks if key not in present]
    mean = store.answers.mean_usage(model=model.name)
    turns = sum(len(prompt.turns) for prompt in missing)
    each = model.decoding.room
    written = len(missing) * mean.completion_tokens if mean else turns * each
    a_turn = written / turns if turns else 0
    lanes = concurrency if model.backend is BackendKind.OPENAI else 1
    return CostEstimate(
        rows=len(asked.keys),
        calls=turns,
        read=round(sum(_read(prompt, model, a_turn) for prompt in missing)),
        written=written,
        price=model.price,
        seconds=len(missing) * mean.seconds / lanes if mean else None,
    )


def _read(prompt: Prompt, model: Model, written: float) -> float:
    """The tokens that a conversation's calls read, each answer being so long."""
    system, total, so_far = estimate_tokens(model.decoding.system or ""), 0.0, 0.0
    for turn in prompt.turns:
        so_far += estimate_tokens(turn)
        total += system + so_far
        so_far += written
    return total
