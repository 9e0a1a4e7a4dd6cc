"""What is served beside the pages: tables as files, health, and metrics."""

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from arena.publish.formats import to_csv, to_json
from arena.web.board_page import LONG_ENOUGH
from arena.web.services import Services
from arena.web.sheets import Sheet, Slice, Wins

if TYPE_CHECKING:
    from fastapi import FastAPI

KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def add_routes(server: "FastAPI", shared: Services) -> None:
    """Everything under /data, and /health and /metrics."""
    from fastapi import HTTPException, Request, Response
    from fastapi.responses import PlainTextResponse

    @server.get("/health")
    def health() -> dict[str, str]:
        shared.store.version()
        return {"status": "ok"}

    @server.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return metrics_text(shared)

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
        name_of_file = f'attachment; filename="{name}.{kind}"'
        return Response(text, media_type=KINDS[kind], headers={"content-disposition": name_of_file})


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
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_WINS)
    writer.writerows(rows)
    return out.getvalue()


TABLES = {"leaderboard": board_file, "wins": wins_file}
_WINS = ("model_a", "model_b", "observed", "predicted", "comparisons")


def metrics_text(shared: Services) -> str:
    """Counts for Prometheus; names of nobody and nothing are in it."""
    counts = shared.store.counts()
    lines = []
    for name, count in counts.items():
        lines += [f"# TYPE arena_{name}_rows gauge", f"arena_{name}_rows {count}"]
    sheet = shared.boards.get(Slice(), 0.0)
    if sheet is not None:
        lines += ["# TYPE arena_board_made_seconds gauge", f"arena_board_made_seconds {sheet.made}"]
        lines += ["# TYPE arena_board_seconds gauge", f"arena_board_seconds {sheet.seconds:.3f}"]
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
