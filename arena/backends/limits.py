"""What a run may use: calls at once, requests and tokens a minute, tokens, money and machines."""

from dataclasses import dataclass, field

from arena.backends.base import Machines
from arena.records import Usage

PER = 1_000_000  # prices are for so many tokens


@dataclass
class Budget:
    """What a run may spend at most, over all its models; None is no bound.

    max_tokens: read and written together. max_cost: US dollars. Before a call its worst case
    is reserved; after it, what it really took is counted instead, so neither bound is passed.
    full: whether something was left because of it.
    """

    max_tokens: int | None = None
    max_cost: float | None = None
    tokens: int = 0
    cost: float = 0.0
    full: bool = False

    def fits(self, worst: Usage, price: tuple[float, float] | None) -> bool:
        """Whether a call that takes `worst` would stay within both bounds."""
        tokens = self.tokens + worst.prompt_tokens + worst.completion_tokens
        return not (
            (self.max_tokens is not None and tokens > self.max_tokens)
            or (self.max_cost is not None and self.cost + cost_of(worst, price) > self.max_cost)
        )

    def add(self, usage: Usage, price: tuple[float, float] | None, sign: int = 1) -> None:
        """Count what a call took, or, with sign -1, take it back."""
        self.tokens += sign * (usage.prompt_tokens + usage.completion_tokens)
        self.cost += sign * cost_of(usage, price)

    @property
    def bounded(self) -> bool:
        """Whether there is any bound at all."""
        return self.max_tokens is not None or self.max_cost is not None

    def __str__(self) -> str:
        bounds = []
        if self.max_cost is not None:
            bounds.append(f"{self.max_cost:g} dollars")
        if self.max_tokens is not None:
            bounds.append(f"{self.max_tokens:,} tokens")
        return " and ".join(bounds)


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a server may be asked, and where models run that need none.

    concurrency: calls in flight; None adapts to the server. requests_per_minute,
    tokens_per_minute: None is no limit. machines: None for this process.
    """

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    budget: Budget = field(default_factory=Budget)
    machines: Machines | None = None


def cost_of(usage: Usage, price: tuple[float, float] | None) -> float:
    """US dollars; price: of a million tokens read, and of a million written."""
    if price is None:
        return 0.0
    return (usage.prompt_tokens * price[0] + usage.completion_tokens * price[1]) / PER
