"""The ranking published: a site, data sets, pictures, and boards inside other pages."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from arena.cli.options import RANKING, ConfigFile, Db, open_store, settings
from arena.cli.options.bundles import bundled
from arena.cli.options.ranking import WhatCounts
from arena.cli.output import say, warn
from arena.records import COMMAND_LINE
from arena.records.errors import GateError, InputError, RatingError

if TYPE_CHECKING:
    from arena.config import Config
    from arena.publish.data.published import Published
    from arena.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where else the ranking goes; with one of these, the site needs no folder."""

    heading: ClassVar[str] = "Elsewhere"
    hf_dataset: Annotated[
        Path | None,
        typer.Option(
            "--hf-dataset",
            metavar="FOLDER",
            help="Write a data set for Hugging Face: Parquet of all that was asked, answered and "
            "judged, and its card. Voters are numbered.",
        ),
    ] = None
    redact: Annotated[
        bool,
        typer.Option(
            "--redact",
            help="Take e-mail addresses, telephone numbers and keys out of the data set's texts.",
        ),
    ] = False
    hf_space: Annotated[
        Path | None,
        typer.Option(
            "--hf-space",
            metavar="FOLDER",
            help="Write the site with the card that makes it a static Space of Hugging Face.",
        ),
    ] = None
    hf_app: Annotated[
        Path | None,
        typer.Option(
            "--hf-app",
            metavar="FOLDER",
            help="Write a Space of Hugging Face that runs the app, in which people vote, on a copy "
            "of the database. Voters are numbered.",
        ),
    ] = None
    markdown: Annotated[
        Path | None,
        typer.Option(
            "--markdown",
            metavar="FILE",
            help="Put the ranking into a Markdown file, such as a README, between the lines "
            "<!-- arena:begin --> and <!-- arena:end -->.",
        ),
    ] = None
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw the ranking as an SVG picture."),
    ] = None
    png: Annotated[
        Path | None,
        typer.Option(
            "--png",
            metavar="FILE",
            help="Draw it as a PNG picture, which needs the package resvg-py.",
        ),
    ] = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        places = (self.hf_dataset, self.hf_space, self.hf_app, self.markdown, self.svg, self.png)
        return any(places)

    def write(self, store: "Store", shown: "Published", config: "Config") -> None:
        """Write all that were asked for, and say what was written."""
        from arena.publish import write_site
        from arena.publish.outlets.huggingface import check_free, write_dataset, write_space
        from arena.publish.outlets.markdown import write_between
        from arena.publish.outlets.picture import write_picture
        from arena.publish.outlets.space import write_app

        if self.markdown:
            changed = write_between(self.markdown, shown.board)
            say(f"{self.markdown}: {'the ranking is new' if changed else 'nothing has changed'}.")
        for place, kind in ((self.svg, ".svg"), (self.png, ".png")):
            if place:
                write_picture(shown.board, shown.policy.title, place, kind)
                say(f"Drawn: {place}")
        if self.hf_space:
            check_free(self.hf_space)
            write_site(store, self.hf_space, shown)
            write_space(self.hf_space, shown.board, shown.policy)
            say(f"A static Space: {self.hf_space}")
        if self.hf_app:
            write_app(store, self.hf_app, shown.policy, config)
            say(f"A Space that runs the app: {self.hf_app}")
        if self.hf_dataset:
            write_dataset(store, shown, self.hf_dataset, redact=self.redact)
            say(f"A data set: {self.hf_dataset}")


@bundled
def publish(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="The folder to write index.html and its data into.",
            show_default="publish: of arena.yaml",
        ),
    ] = None,
    db: Db = None,
    config: ConfigFile = None,
    *,
    counts: WhatCounts,
    outlets: Outlets,
) -> None:
    """Write the ranking as a static site, with the data beside it, and to where else it is read.

    Beside the page stand arena.json, which says what the ranking stands on, its JSON schema, all
    tables as CSV, JSON and Parquet, what changed since the last publication into the same folder,
    an Atom feed of such changes, and embed.html, a small board for an iframe.

    Where there is no ranking yet, the site has the scores and report cards that there are, and says
    why. With --evidence, nothing is written where that evidence makes no ranking.

    \b
    arena publish site                    into the folder site
    arena publish                         into the folder that arena.yaml names
    arena publish --markdown README.md    the table inside a README
    """
    from arena.leaderboard.board import policy_of
    from arena.leaderboard.unranked import ranked_or_not
    from arena.publish import write_site
    from arena.publish.data.published import published

    conf = settings(config, (*RANKING, "publish"))
    if outlets.redact and not outlets.hf_dataset:
        raise InputError("--redact goes with --hf-dataset; the site shows texts as they are")
    if folder is None and not outlets.any and not conf.publish:
        raise InputError(
            "name the folder for the site, as in arena publish site, or write publish: site into "
            "arena.yaml"
        )
    store = open_store(db, conf)
    policy = counts.applied(store, policy_of(store, conf))
    store.describe(conf.candidates().values())
    board, refused = ranked_or_not(store, policy)
    if refused is not None and counts.evidence is not None:
        raise refused
    shown = published(store, board, policy)
    if folder is not None or not outlets.any:
        page = write_site(store, folder or Path(str(conf.publish)), shown)
        say(f"Published{'' if board.rows else ' without a ranking'}: {page}")
    outlets.write(store, shown, conf)
    if refused is not None:
        warn(f"There is no ranking yet: {refused.text(place=COMMAND_LINE)}")
    if isinstance(refused, GateError | RatingError):
        sys.exit(1)


COMMANDS = (publish,)
