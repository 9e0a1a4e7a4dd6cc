"""The ranking as a static site that needs no server, no network and no library."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.formats import to_csv, to_json
from arena.leaderboard.judge_audit import audit_judge, judges_with_verdicts
from arena.leaderboard.ranking import grouped_rankings, views
from arena.records.errors import GateError, InputError
from arena.store import Store

__all__ = ["publish", "publish_ranking"]

PAGE = "index.html"
# What every page has that this or an earlier version wrote.
MADE_BY = '<section id="reading">'
FILES = (PAGE, "leaderboard.csv", "leaderboard.json", "judges.json", "groups.json")


def publish_ranking(store: Store, folder: Path, board: Leaderboard, policy: Policy) -> Path:
    """Write the site of a ranking that was made as the policy says, with other views beside it.

    One without rows has none beside it: the page says why there is no ranking.
    """
    if not board.rows:
        return publish(store, folder, board, title=policy.title)
    others = views(store, board, policy)
    groups: list[Leaderboard] = []
    for by in ("category", "language"):
        with suppress(InputError, GateError):
            found = grouped_rankings(store, by, policy).boards
            groups += found if len(found) > 1 else []
    return publish(store, folder, board, title=policy.title, others=others, groups=groups)


def publish(
    store: Store,
    folder: Path,
    board: Leaderboard,
    *,
    title: str,
    others: Sequence[Leaderboard] = (),
    groups: Sequence[Leaderboard] = (),
) -> Path:
    """Write the site and return its page; the same database gives the same bytes.

    others: further rankings of the same models, shown beside `board`. groups: rankings of parts
    of the prompts, by category or language. Files of other names in `folder` are left alone.
    Raises InputError where `folder` cannot be written, or holds such a file of somebody else.
    """
    from arena.publish.page import render

    _check_free(store, folder)
    known = judges_with_verdicts(store)
    audits = [audit_judge(store, r.judge) for r in board.reports if r.judge in known]
    # The page is first: by it the other files are known as ours if this ends before the last.
    files = {
        PAGE: render(store, board, title=title, others=others, groups=groups, audits=audits),
        "leaderboard.csv": to_csv(board),
        "leaderboard.json": _json(to_json(board)),
        "judges.json": _json([audit.as_dict() for audit in audits]),
        "groups.json": _json([to_json(one) for one in groups]),
    }
    try:
        _replace(folder, files)
    except OSError as error:
        raise InputError(f"{folder}: the site cannot be written there ({error})") from error
    return folder / PAGE


def _check_free(store: Store, folder: Path) -> None:
    """Raise InputError where a file that would be written over is no part of a published site.

    The page says itself who wrote it; without it the other files are somebody else's.
    """
    page = folder / PAGE
    is_ours = page.is_file() and MADE_BY in page.read_text(encoding="utf-8", errors="replace")
    for path in (folder / name for name in FILES):
        if path.exists() and path.samefile(store.path):
            raise InputError(f"{path} is the database, and stays as it is; name another folder")
        if path.exists() and not is_ours:
            raise InputError(
                f"{path} is no file that arena wrote, and stays as it is; name another folder"
            )


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _replace(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files aside, then rename them: a crash before that leaves the old site."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".publish-", dir=folder) as aside:
        for name, text in files.items():
            _write(Path(aside, name), text)
        for name in files:
            os.replace(Path(aside, name), folder / name)


def _write(path: Path, text: str) -> None:
    with path.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
