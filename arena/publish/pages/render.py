"""The other pages of the site as HTML documents, by their names."""

from collections.abc import Iterator
from typing import Any

from arena.leaderboard.formats import ranked
from arena.publish.data.changes import ChangeLog
from arena.publish.data.published import Published
from arena.publish.data.tables import SUFFIXES, TABLES
from arena.publish.page import environment, script_of_pages
from arena.publish.pages.benchmarks import benchmarks_view
from arena.publish.pages.browse import FOLDER, ON_PAGE, examples_by_page, prompt_list
from arena.store import Store
from arena.store.versions import replaced

CHANGES, METHOD, BROWSE, BENCHMARKS = PAGES = (
    *("changes.html", "method.html", "browse.html", "benchmarks.html"),
)


def render_pages(store: Store, shown: Published, log: ChangeLog) -> Iterator[tuple[str, str]]:
    """Each page by its name: what changed, the method, benchmarks, the prompts."""
    yield CHANGES, _page("changes", shown, log=log)
    newest = store.whole.newest()
    tables: dict[str, Any] = {"tables": list(TABLES), "suffixes": SUFFIXES}
    yield METHOD, _page("method", shown, **tables, shown=shown, updated=newest)
    view = benchmarks_view(store, shown.board)
    yield BENCHMARKS, _page("benchmarks", shown, benchmarks=view, replaced=replaced(store))
    listed = prompt_list(store)
    yield BROWSE, _page("browse", shown, listed=listed)
    models = [row.model for row in ranked(shown.board)]
    for number, examples in enumerate(examples_by_page(store, listed, models), start=1):
        first = (number - 1) * ON_PAGE + 1
        place = {"number": number, "pages": listed.pages, "first": first}
        last = min(first + ON_PAGE - 1, len(listed.entries))
        text = _page("prompts", shown, root="../", examples=examples, last=last, **place)
        yield f"{FOLDER}/{number}.html", text


def _page(name: str, of: Published, *, root: str = "", **content: Any) -> str:
    template = environment().get_template(f"pages/{name}.html")
    return template.render(
        title=of.policy.title,
        root=root,
        has_benchmarks=bool(of.board.benchmarks),
        **script_of_pages(),
        **content,
    )
