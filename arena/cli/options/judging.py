"""How a judge is asked, as options: what is done in place of asking, and what a run may use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import Concurrency
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.backends import Budget, Limits, Machines


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What a run may use of a server, and of money."""

    heading: ClassVar[str] = "What the run may use"
    concurrency: Concurrency = None
    requests_per_minute: Annotated[
        float | None,
        typer.Option("--rpm", min=0.01, help="Send at most this many requests a minute."),
    ] = None
    tokens_per_minute: Annotated[
        float | None,
        typer.Option(
            "--tpm",
            min=1,
            help="Use at most this many tokens a minute, those read and those written.",
        ),
    ] = None
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="Stop before the run costs more than this many US dollars."),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Stop before the run uses more than this many tokens.")
    ] = None

    @property
    def budget(self) -> "Budget":
        """The bound on tokens and dollars, which several plans share."""
        from arena.backends import Budget

        return Budget(self.max_tokens, self.max_cost)

    def within(self, budget: "Budget", machines: "Machines | None" = None) -> "Limits":
        """As backends take them."""
        from arena.backends import Limits

        rates = self.concurrency, self.requests_per_minute, self.tokens_per_minute
        return Limits(*rates, budget, machines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What is done in place of asking for everything that is missing."""

    heading: ClassVar[str] = "Instead of asking for all that is missing"
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Ask nothing. Print how many calls, tokens, dollars and minutes the run would "
            "take.",
        ),
    ] = False
    reparse: Annotated[
        bool,
        typer.Option(
            "--reparse",
            help="Ask nothing. Read the stored replies again, by the card as it is now.",
        ),
    ] = False
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Ask again only for calls that failed and replies in which no verdict could be "
            "read.",
        ),
    ] = False
    batch: Annotated[
        bool,
        typer.Option(
            "--batch",
            help="Hand the work to the server's batch endpoint, which is cheaper and takes up to "
            "a day.",
        ),
    ] = False
    collect: Annotated[
        bool, typer.Option("--collect", help="Fetch the results of an earlier --batch.")
    ] = False

    def check(self) -> None:
        """Raise InputError for two that cannot both be meant; a batch can be estimated."""
        given = {"reparse": self.reparse, "batch": self.batch, "collect": self.collect}
        if not self.batch:
            given["dry-run"] = self.dry_run
        if len(named := [f"--{name}" for name, is_given in given.items() if is_given]) > 1:
            raise InputError(f"{' and '.join(named)} do not go together; give one of them")
