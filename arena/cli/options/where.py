"""Options on where models run: on which devices, on a cluster, behind a server, in parts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import split
from arena.records import Executor, ServerProgram
from arena.records.errors import InputError

if TYPE_CHECKING:
    from arena.generation.shards import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereWhole:
    """Where local models run."""

    heading: ClassVar[str] = "Where it runs"
    devices: Annotated[
        list[str] | None,
        typer.Option(
            "--devices",
            help="Run local models side by side, one on each of these devices, as in --devices "
            "cuda:0,cuda:1; `all` is every GPU.",
        ),
    ] = None
    executor: Annotated[
        Executor | None,
        typer.Option(
            "--executor",
            help="Let the workers of a Ray cluster run each model, one on each GPU: the cluster at "
            "RAY_ADDRESS, or else one on this machine.",
        ),
    ] = None

    @property
    def side_by_side(self) -> list[str]:
        """The devices by name; none where models follow each other."""
        return split(self.devices)

    def check(self) -> None:
        """Raise InputError where models are to run in two places at once."""
        given = {"--executor": self.executor, "--devices": self.devices} | self._servers()
        if len(named := [name for name, value in given.items() if value]) > 1:
            raise InputError(f"{' and '.join(named)} do not go together; give one of them")

    def _servers(self) -> dict[str, ServerProgram | None]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where(WhereWhole):
    """The same, and which part of the work is done here."""

    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="PART/PARTS",
            help="Do one part of the work only, as in 1/3, with a database of its own. arena merge "
            "puts the parts together.",
        ),
    ] = None

    @property
    def part(self) -> "Shard | None":
        """The part of the work that is done here; None for all."""
        from arena.generation.shards import Shard

        return Shard.parse(self.shard) if self.shard else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereServed(Where):
    """The same; or behind a server that is started for the run."""

    serve: Annotated[
        ServerProgram | None,
        typer.Option(
            "--serve",
            help="Start this server for the model, wait until it answers, and end it after the "
            "run.",
        ),
    ] = None

    def _servers(self) -> dict[str, ServerProgram | None]:
        return {"--serve": self.serve}
