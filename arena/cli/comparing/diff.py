"""`arena diff`: what changed between two states of a board."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import Output
from arena.cli.output import Format, emit, say


def diff(
    old: Annotated[
        Path, typer.Argument(help="A database, a published site's folder, or its leaderboard.json.")
    ],
    new: Annotated[Path, typer.Argument(help="The same, later.")],
    form: Output = Format.TABLE,
) -> None:
    """Say which models moved between two states of a board, and what else is different.

    Of two databases the intervals allow for the votes and prompts that both stand on, for which
    both are ranked a hundred times. A published site does not tell these, so it is taken for
    independent of the other board.

    \b
    arena diff before.db arena.db        two databases
    arena diff site-last-week site       two published sites
    """
    from arena.compare.boards.diff import diff_boards, read_board
    from arena.compare.boards.settings import setting_note

    before, after = read_board(old), read_board(new)
    if before.evidence is not None and after.evidence is not None:
        say("Both boards are ranked a hundred times, which takes a while where there is much.")
    found = diff_boards(before, after)
    if form is Format.JSON:
        sys.stdout.write(json.dumps(asdict(found), ensure_ascii=False, indent=2) + "\n")
        return
    rows = [
        {
            "model": one.model,
            "rank": f"{one.old_rank} → {one.new_rank}",
            "change": f"{one.change:+z.0f}",
            "interval": f"{one.low:+z.0f} to {one.high:+z.0f}",
            "old": f"{one.old:.0f}",
            "new": f"{one.new:.0f}",
            "": "" if not one.is_told else "up" if one.change > 0 else "down",
        }
        for one in found.changes
    ]
    emit(rows, form, title="Models on both boards, beside the mean of these")
    for what, names in (("Came", found.came), ("Left", found.left)):
        if names:
            say(f"{what}: {', '.join(names)}.")
    if not found.is_paired:
        say(
            "A published site does not tell which votes and prompts it stands on. The boards are "
            "taken for independent, so the intervals are too wide where both share some."
        )
    for one in found.settings:
        say(str(setting_note(*one)))


COMMANDS = (diff,)
