"""What is served beside the pages: tables as files, health, and metrics."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from arena.files.spreadsheets import harmless
from arena.leaderboard.formats import to_csv, to_json
from arena.leaderboard.judge_audit import JudgeAudit
from arena.leaderboard.snapshot import Sheet, Slice, Wins
from arena.store import Store
from arena.store.rows import encode
from arena.web.background.cache import LONG_ENOUGH, WHOLE
from arena.web.catalogue import EXPORTS, detail
from arena.web.services import Services
from arena.web.views.detail import as_json
from arena.web.views.words import WORDS

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def add_routes(server: "FastAPI", shared: Services) -> None:
    """Everything under /data, and /health and /metrics."""
    from fastapi import HTTPException, Request, Response
    from fastapi.responses import PlainTextResponse

    @server.api_route("/health", methods=["GET", "HEAD"])
    def health() -> dict[str, str]:
        shared.store.version()
        return {"status": "ok"}

    @server.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return metrics_text(shared)

    @server.get("/data/judges.{kind}")
    def judges(kind: str) -> Response:
        cards = shared.cards.get(WHOLE, LONG_ENOUGH)
        if kind not in KINDS or not cards:
            raise HTTPException(404, "No judge has compared anything yet.")
        return _file(f"judges.{kind}", cards_file(cards, kind))

    @server.get("/data/prompt.json")
    def prompt(key: str, request: Request) -> Response:
        found = detail(shared.store, key)
        if found is None:
            raise HTTPException(404, "There is no such prompt.")
        visitor = shared.voters.visitor(request)
        if why := shared.blind.why_not(visitor, found.prompt):
            raise HTTPException(403, WORDS[visitor.language][why])
        shared.blind.learned(visitor, key)
        # Nobody in between may keep for one visitor what another may not see yet.
        return _file("prompt.json", as_json(found), cache_control="no-store")

    if shared.password:

        @server.get("/admin/export/{name}.csv")
        def export(name: str, ticket: str = "") -> Response:
            if name not in EXPORTS or not shared.voters.is_ticket(ticket):
                raise HTTPException(404)
            return _file(f"{name}.csv", rows_file(EXPORTS[name], exported(shared.store, name)))

    @server.get("/data/{name}.{kind}")
    def table(name: str, kind: str, request: Request) -> Response:
        query = request.query_params
        wanted = Slice(
            query.get("by", ""), query.get("value", ""), "style" in query, "weak" in query
        )
        make = TABLES.get(name)
        if make is None or kind not in KINDS or wanted.by not in ("", "category", "language"):
            raise HTTPException(404)
        sheet = shared.boards.get(wanted, LONG_ENOUGH)
        text = make(sheet, query.get("view", "combined"), kind) if sheet else None
        if text is None:
            raise HTTPException(404, "There is no such evidence yet.")
        return _file(f"{name}.{kind}", text)


def _file(name: str, text: str, **headers: str) -> "Response":
    """A file to keep under that name."""
    from fastapi import Response

    own = {header.replace("_", "-"): value for header, value in headers.items()}
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=KINDS[name.rsplit(".", 1)[-1]], headers=disposition | own)


def cards_file(cards: Sequence[JudgeAudit], kind: str) -> str:
    """Report cards: as JSON, or a line a judge and measure."""
    if kind == "json":
        return _json([card.as_dict() for card in cards])
    return _csv(
        ("judge", "measure", "value", "low", "high", "n"),
        ((c.judge, name, m.value, m.low, m.high, m.n) for c in cards for name, m in c.measures()),
    )


def exported(store: Store, name: str) -> Iterable[Any]:
    """The rows of an export; why somebody voted so goes with the vote that was taken back."""
    rows: Iterable[Any] = getattr(store, name).where()
    if name != "remarks":
        return rows
    withdrawn = {withdrawal.subject for withdrawal in store.withdrawals.where()}
    return (row for row in rows if row.key not in withdrawn)


def rows_file(record: type[Any], rows: Iterable[Any]) -> str:
    """Records as CSV, a line a record; what the store has of one is its columns."""
    encoded = [encode(row) for row in rows]
    heads = list(encoded[0]) if encoded else [field.name for field in fields(record)]
    return _csv(heads, (list(row.values()) for row in encoded))


def board_file(sheet: Sheet, view: str, kind: str) -> str | None:
    """A ranking as `arena rank` writes it."""
    board = sheet.boards.get(view)
    if board is None:
        return None
    return to_csv(board) if kind == "csv" else _json(to_json(board))


def wins_file(sheet: Sheet, view: str, kind: str) -> str | None:
    """Win rates of every pair that met: observed, predicted, and of how many comparisons."""
    wins = sheet.wins.get(view)
    if wins is None:
        return None
    rows = list(_pairs(wins))
    if kind == "json":
        return _json([dict(zip(_WINS, row, strict=True)) for row in rows])
    return _csv(_WINS, rows)


TABLES = {"leaderboard": board_file, "wins": wins_file}
_WINS = ("model_a", "model_b", "observed", "predicted", "comparisons")


def metrics_text(shared: Services) -> str:
    """Counts for Prometheus; names of nobody and nothing are in it."""
    counts = shared.store.counts()
    lines = []
    for name, count in counts.items():
        lines += [f"# TYPE arena_{name}_rows gauge", f"arena_{name}_rows {count}"]
    board = shared.boards.made(Slice(), 0.0)
    if board is not None:
        lines += ["# TYPE arena_board_made_seconds gauge", f"arena_board_made_seconds {board.made}"]
        lines += ["# TYPE arena_board_seconds gauge", f"arena_board_seconds {board.seconds:.3f}"]
    return "\n".join(lines) + "\n"


def _pairs(wins: Wins) -> Any:
    for i, a in enumerate(wins.models):
        for j, b in enumerate(wins.models):
            if i < j and wins.played[i, j] > 0:
                observed, predicted = float(wins.observed[i, j]), float(wins.predicted[i, j])
                assert not math.isnan(observed)
                yield a, b, round(observed, 6), round(predicted, 6), float(wins.played[i, j])


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return out.getvalue()
