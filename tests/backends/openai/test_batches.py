"""A batch endpoint that answers with what no server should: an error, and nothing is given up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web

from arena.backends.openai.batches import Collected, collect, submit
from arena.config import parse_model
from arena.records import Model
from arena.records.errors import BackendError
from tests.servers import completion, running

BATCH = {
    "id": "batch/1",
    "status": "completed",
    "output_file_id": "out",
    "error_file_id": None,
    "request_counts": {"completed": 1, "failed": 0, "total": 1},
}
FILE = {"id": "f"}
LINE = {"custom_id": "k", "response": {"status_code": 200, "body": completion("x")}}


@contextmanager
def served(batch: Any, content: str = json.dumps(LINE), file: Any = FILE) -> Iterator[Model]:
    """A server whose batches are all this one, with this in its file of results."""

    async def upload(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(file)

    async def told(request: web.Request) -> web.Response:
        assert request.match_info.get("name", "batch/1") == "batch/1"
        return web.json_response(batch)

    async def results(request: web.Request) -> web.Response:
        return web.Response(text=content)

    async def made() -> web.Application:
        app = web.Application()
        routes = [web.post("/v1/files", upload), web.get("/v1/files/{name}/content", results)]
        app.add_routes([*routes, web.post("/v1/batches", told)])
        app.add_routes([web.get("/v1/batches/{name}", told)])
        return app

    with running(made) as port:
        yield parse_model(f"openai:m@http://127.0.0.1:{port}/v1")


def test_a_whole_batch_is_read() -> None:
    with served(BATCH) as model:
        assert submit(model, {"k": "{}\n"}) == "batch/1"
        found = collect(model, "batch/1")
    assert found.replies is not None
    assert found.replies["k"].turns == ("x",)  # type: ignore[union-attr]


@pytest.mark.parametrize("batch", [{"id": None}, {"id": 5}, {}, [], None, "x", {"id": ""}])
def test_what_has_no_name_was_not_handed_in(batch: Any) -> None:
    with served(batch) as model, pytest.raises(BackendError):
        submit(model, {"k": "{}\n"})
    with served(BATCH, file=batch) as model, pytest.raises(BackendError):
        submit(model, {"k": "{}\n"})


@pytest.mark.parametrize("batch", [None, [], "completed", {}, {"status": 5}, {"status": None}])
def test_what_is_no_batch_is_an_error(batch: Any) -> None:
    with served(batch) as model, pytest.raises(BackendError):
        collect(model, "batch/1")


@pytest.mark.parametrize("counts", [None, "", 5, [], {"completed": "1"}, {"total": 1}])
def test_counts_that_are_none_are_nothing(counts: Any) -> None:
    with served(BATCH | {"status": "in_progress", "request_counts": counts}) as model:
        assert collect(model, "batch/1") == Collected("in_progress", 0, 0, None)


@pytest.mark.parametrize("content", ["", "<html>", "null\n[]\n5", json.dumps(LINE)[:-9]])
def test_replies_that_cannot_be_read_are_not_given_up(content: str) -> None:
    with served(BATCH, content) as model, pytest.raises(BackendError, match="none of them"):
        collect(model, "batch/1")


@pytest.mark.parametrize("file", [None, 5, [], {}])
def test_a_batch_without_its_file_is_not_given_up(file: Any) -> None:
    with (
        served(BATCH | {"output_file_id": file}) as model,
        pytest.raises(BackendError, match="none of them"),
    ):
        collect(model, "batch/1")
