"""The ranking as a static site that needs no server, no network and no library."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.compare.boards.diff import PUBLISHED, read_board
from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.formats import to_csv, to_json
from arena.publish.data import changes, feed, publication, tables
from arena.publish.data.published import Published, published, report_cards
from arena.publish.outlets import embed, picture
from arena.publish.page import render
from arena.publish.pages.browse import FOLDER as PROMPTS
from arena.publish.pages.render import PAGES, render_pages
from arena.records.errors import InputError
from arena.store import Store

__all__ = ["publish", "publish_ranking", "write_site"]

PAGE = "index.html"
# What every page has that this or an earlier version wrote.
MADE_BY = '<section id="reading">'
USUAL = Policy()
# In the order in which they take their places: a change is told before its ranking is there.
FILES = (
    PAGE,
    changes.FILE,
    feed.FILE,
    "leaderboard.csv",
    PUBLISHED,
    "judges.json",
    "groups.json",
    *embed.FILES.values(),
    picture.FILE,
    *tables.FILES,
    publication.SCHEMA_FILE,
    publication.FILE,
    *PAGES,
)


def publish_ranking(store: Store, folder: Path, board: Leaderboard, policy: Policy) -> Path:
    """Write the site of a ranking that was made as the policy says, with other views beside it.

    One without rows has none beside it: the page says why there is no ranking.
    """
    return write_site(store, folder, published(store, board, policy))


def publish(
    store: Store,
    folder: Path,
    board: Leaderboard,
    *,
    title: str,
    others: Sequence[Leaderboard] = (),
    groups: Sequence[Leaderboard] = (),
    policy: Policy = USUAL,
) -> Path:
    """Write the site of rankings that are at hand; see `Published` and `write_site`."""
    named = replace(policy, title=title)
    audits = report_cards(store, board)
    return write_site(store, folder, Published(board, named, others, groups, audits))


def write_site(store: Store, folder: Path, shown: Published) -> Path:
    """Write the site and return its page; the same database gives the same bytes.

    Files of other names in `folder` are left alone, and the ranking that is there is what changes
    are told against. Raises InputError where `folder` cannot be written, or holds such a file of
    somebody else.
    """
    _check_free(store, folder)
    texts = _texts(store, shown)
    try:
        with _together(folder) as aside:
            for name, text in texts.items():
                _write(aside / name, text)
            log = _write_changes(store, shown, folder, aside)
            for name, text in render_pages(store, shown, log):
                _write(aside / name, text)
            tables.write_tables(store, shown, aside)
            _write(aside / publication.SCHEMA_FILE, publication.text_of(publication.schema()))
            there = {path.relative_to(aside).as_posix(): path for path in _files(aside)}
            whole = publication.publication(store, shown, there)
            _write(aside / publication.FILE, publication.text_of(whole))
    except OSError as error:
        raise InputError(f"{folder}: the site cannot be written there ({error})") from error
    return folder / PAGE


def _texts(store: Store, shown: Published) -> dict[str, str]:
    """The page, and the ranking by itself."""
    board, title = shown.board, shown.policy.title
    page = render(
        store, board, title=title, others=shown.others, groups=shown.groups, audits=shown.audits
    )
    return {
        PAGE: page,
        "leaderboard.csv": to_csv(board),
        PUBLISHED: _json(to_json(board)),
        "judges.json": _json([audit.as_dict() for audit in shown.audits]),
        "groups.json": _json([to_json(one) for one in shown.groups]),
        **{name: embed.to_embed(board, title, word) for word, name in embed.FILES.items()},
        picture.FILE: picture.to_svg(board, title),
    }


def _write_changes(store: Store, shown: Published, folder: Path, aside: Path) -> changes.ChangeLog:
    """Tell the ranking that was written aside against the one in the folder."""
    log = changes.change_log(folder, read_board(aside / PUBLISHED), store.whole.newest())
    _write(aside / changes.FILE, publication.text_of(log))
    _write(aside / feed.FILE, feed.to_atom(log, shown.policy.title))
    return log


def _check_free(store: Store, folder: Path) -> None:
    """Raise InputError where a file that would be written over is no part of a published site.

    The page says itself who wrote it; without it the other files are somebody else's.
    """
    page = folder / PAGE
    is_ours = page.is_file() and MADE_BY in page.read_text(encoding="utf-8", errors="replace")
    pages = (folder / PROMPTS).glob("*.html")
    for path in [*(folder / name for name in FILES), *pages]:
        if path.exists() and path.samefile(store.path):
            raise InputError(f"{path} is the database, and stays as it is; name another folder")
        if path.exists() and not is_ours:
            raise InputError(
                f"{path} is no file that arena wrote, and stays as it is; name another folder"
            )


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


@contextmanager
def _together(folder: Path) -> Iterator[Path]:
    """A folder to write all files in, which then take their places; until then the old ones stay.

    The page is first: by it the other files are known as ours if this ends before the last. Pages
    of prompts that are left of a longer site go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".publish-", dir=folder) as name:
        aside = Path(name)
        yield aside
        rest = sorted({path.relative_to(aside).as_posix() for path in _files(aside)} - set(FILES))
        for file in [*FILES, *rest]:
            (folder / file).parent.mkdir(exist_ok=True)
            os.replace(aside / file, folder / file)
        for path in (folder / PROMPTS).glob("*.html"):
            if path.stem.isdecimal() and f"{PROMPTS}/{path.name}" not in rest:
                path.unlink()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
