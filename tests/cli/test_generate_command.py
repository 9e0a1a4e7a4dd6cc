"""`arena generate`: what it would take, what it may cost, and what it asks again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.store import Store
from tests.servers import Served, completion, serve


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARENA_DB", raising=False)
    lines = [json.dumps({"id": f"p{n}", "turns": [f"Question {n}?"]}) for n in range(4)]
    Path("p.jsonl").write_text("\n".join(lines), encoding="utf-8")


def write(url: str, settings: str = "price: {input: 1, output: 100}") -> None:
    entry = f"{{use: 'openai:m', base_url: '{url}', max_tokens: 1000, {settings}}}"
    Path("arena.yaml").write_text(f"models: {{cand: {entry}}}\nprompts: [p.jsonl]\n")


@pytest.fixture
def server() -> Iterator[Served]:
    def script(asked: dict[str, Any]) -> web.Response:
        body = completion("This.")
        body["usage"] = {"prompt_tokens": 10, "completion_tokens": 100}
        if asked["max_tokens"] < 4000 and "Question 3" in str(asked):
            body["choices"][0]["message"]["content"] = "<think>Hm"
            body["choices"][0]["finish_reason"] = "length"
        return web.json_response(body)

    with serve(script) as served:
        write(served.url)
        yield served


def arena(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_a_dry_run_asks_nothing_and_leaves_nothing(server: Served) -> None:
    result = arena("generate", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "Nothing was asked. For 4 prompts" in result.output
    for cell in ("cand", "4000", "0.40"):
        assert cell in result.output
    assert server.calls == []
    assert not Path("arena.db").exists()


def test_a_dry_run_learns_from_what_is_stored(server: Served) -> None:
    arena("generate", "--limit", "2")
    result = arena("generate", "--dry-run")
    (row,) = [line for line in result.output.splitlines() if "cand" in line]
    assert [cell.strip() for cell in row.strip("│ ").split("│")][1:5] == ["4", "2", "6", "200"]
    assert Path("arena.db").exists()


def test_a_run_ends_before_it_costs_more_than_it_may(server: Served) -> None:
    # Each call could cost 0.10 dollars and costs 0.01.
    result = arena("generate", "--max-cost", "0.115")
    assert result.exit_code == 1
    assert "the next call could pass the budget of 0.115 dollars" in result.output
    assert 1 <= len(server.calls) < 4


def test_a_bound_on_cost_needs_a_price(server: Served) -> None:
    write(server.url, "seed: 0")
    result = arena("generate", "--max-cost", "1")
    assert result.exit_code == 2
    assert "cand has no price" in result.output
    assert server.calls == []


def test_what_was_no_answer_is_shown_and_asked_again(server: Served) -> None:
    first = arena("generate")
    assert first.exit_code == 1
    assert "arena generate --retry-failed asks for it again" in first.output
    again = arena("generate")
    assert again.exit_code == 1  # as after the first run: the same is left to do
    assert "were no answers, and were not asked for again: 1." in again.output
    assert (
        "cand has replies that are no answers: 1 × ended while thinking" in arena("status").output
    )
    assert "ended while thinking" in arena("show", "failures").output
    shown = json.loads(arena("models", "--about", "--format", "json").stdout)
    assert shown[0]["no answer"] == pytest.approx(0.25)
    asked = len(server.calls)
    retried = arena("generate", "--retry-failed")
    assert retried.exit_code == 0, retried.output
    assert [call["max_tokens"] for call in server.calls[asked:]] == [4000]
    assert Store("arena.db").answers.count() == 4
    assert "no answers" not in arena("status").output
    assert "every reply is an answer" in arena("generate", "--retry-failed").output


def test_samples_are_stored_and_paid_apart(server: Served) -> None:
    write(server.url, "temperature: 1")
    assert arena("generate", "--limit", "2", "--samples", "3").exit_code == 0
    assert sorted(a.sample for a in Store("arena.db").answers.where()) == [0, 0, 1, 1, 2, 2]


def test_what_is_known_of_no_model_has_no_column_for_people(server: Served) -> None:
    arena("generate", "--limit", "2")
    table = arena("models", "--about", "--format", "table").stdout
    assert "license" not in table
    assert "luck" not in table
    assert "seconds" in table
    (row,) = json.loads(arena("models", "--about", "--format", "json").stdout)
    assert (row["license"], row["luck"]) == (None, None)
