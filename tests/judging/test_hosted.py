"""The batch endpoint: handed in, collected days later, in any order and with gaps."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from arena.backends import Budget
from arena.judging import JudgeCard, judge, load_card, plan
from arena.judging.hosted import collect, submit
from arena.records import Prompt
from arena.records.errors import BackendError, InputError
from arena.store import Store
from tests.servers import Served, fault, serve

pytestmark = pytest.mark.slow

Write = Callable[..., str]


def hosted_card(write_card: Write, url: str, store: Store) -> JudgeCard:
    return load_card(write_card("far", f"{{use: 'openai:m', base_url: '{url}'}}"), store.home)


def end(served: Served, drop: int = 0) -> None:
    """End all batches: their results shuffled, the first few missing."""

    def order(results: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        kept = results[drop:]
        random.Random(1).shuffle(kept)
        return kept

    for batch in served.batches.values():
        batch.ended, batch.order = True, order


def longer(body: dict[str, Any]) -> str:
    return f"[[{'A' if hash(body['messages'][0]['content']) % 2 else 'B'}]]"


def test_results_are_joined_by_name_and_what_is_missing_is_asked_again(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with serve(longer) as served:
        card = hosted_card(write_card, served.url, answered)
        wanted = plan(answered, card, prompts)
        (batch,) = submit(wanted)
        assert len(served.batches[batch.key].lines) == 18
        (waiting,) = collect(answered, card)
        assert (waiting.status, waiting.ended, waiting.total) == ("in_progress", False, 18)
        assert submit(wanted) == []
        assert judge(answered, card, prompts)[0].elsewhere == 18

        end(served, drop=1)
        (found,) = collect(answered, card)
        assert (found.stored, found.missing, found.failed) == (17, 1, 0)
        assert list(collect(answered, card)) == []
        assert judge(answered, card, prompts)[0].stored == 1
        direct = {task.key: longer({"messages": [{"content": task.text}]}) for task in wanted.tasks}
    assert {v.key: v.text for v in answered.verdicts.where()} == direct
    assert len(served.calls) == 1


def test_ends_of_line_inside_a_text_end_no_result(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """Servers may leave such characters as they are; a line less would be a verdict paid twice."""
    said = "It is\u2028fine\x85 indeed. [[A]]"
    with serve(lambda _: said) as served:
        card = hosted_card(write_card, served.url, answered)
        submit(plan(answered, card, prompts))
        end(served)
        (found,) = collect(answered, card)
    assert (found.stored, found.missing) == (18, 0)
    assert {v.text for v in answered.verdicts.where()} == {said}


def test_results_that_are_none_are_failures_or_missing(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """A wrong name, a name twice, no object, no response, half a line: the rest still counts."""
    with serve(longer) as served:
        card = hosted_card(write_card, served.url, answered)
        (batch,) = submit(plan(answered, card, prompts))
        names = [task["custom_id"] for task in map(json.loads, served.batches[batch.key].lines)]
        bare = {"status_code": 200, "body": {}}
        odd: list[object] = [{"custom_id": "nobody"}, 5, {"custom_id": names[1], "response": "x"}]
        odd.append({"custom_id": names[2], "response": bare})
        served.batches[batch.key].raw = [*map(json.dumps, odd), "{"]
        end(served, drop=3)
        (found,) = collect(answered, card)
    assert (found.stored, found.failed, found.missing) == (15, 2, 1)


def test_a_failed_request_of_a_batch_is_a_failure_and_no_verdict(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    def script(body: dict[str, Any]) -> str | web.Response:
        return fault(400, "filtered") if "two and two" in str(body) else "[[A]]"

    with serve(script) as served:
        card = hosted_card(write_card, served.url, answered)
        submit(plan(answered, card, prompts))
        end(served)
        (found,) = collect(answered, card)
    assert (found.stored, found.failed, found.missing) == (12, 6, 0)
    assert "filtered" in answered.failure_counts()[0].message


def test_another_card_does_not_collect_what_it_did_not_hand_in(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with serve(longer) as served:
        card = hosted_card(write_card, served.url, answered)
        submit(plan(answered, card, prompts))
        end(served)
        template = answered.home / "judges" / "far.md"
        template.write_text(template.read_text() + "Be strict.")
        with pytest.raises(BackendError, match="another card of far"):
            list(collect(answered, load_card("far", answered.home)))
    assert answered.batches.count() == 1


def test_a_refused_batch_leaves_nothing_claimed(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with serve(longer) as served:
        card = hosted_card(write_card, served.url + "/nowhere", answered)
        with pytest.raises(BackendError):
            submit(plan(answered, card, prompts))
        card = hosted_card(write_card, served.url, answered)
        assert judge(answered, card, prompts)[0].stored == 18


def test_a_process_that_dies_while_it_hands_in_leaves_nothing_claimed(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    dies = (
        "import os, sys; from arena.judging import hosted, load_card, plan; "
        "from arena.store import Store; store = Store(sys.argv[1]); "
        "hosted.batches.submit = lambda *_: os._exit(9); "
        "hosted.submit(plan(store, load_card('far', store.home), list(store.prompts.where())))"
    )
    with serve(longer) as served:
        card = hosted_card(write_card, served.url, answered)
        died = subprocess.run([sys.executable, "-c", dies, str(answered.path)], check=False)
        assert died.returncode == 9
        (batch,) = submit(plan(answered, card, prompts))
        assert len(served.batches[batch.key].lines) == 18


def test_a_budget_holds_for_what_is_handed_in(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    with serve(longer) as served:
        write_card("far", f"{{use: 'openai:m', base_url: '{served.url}', max_tokens: 100}}")
        card = load_card("far", answered.home)
        budget = Budget(max_tokens=2000)
        (batch,) = submit(plan(answered, card, prompts), budget)
        handed_in = len(served.batches[batch.key].lines)
        assert 0 < handed_in < 18
        assert budget.full
        assert budget.tokens <= 2000
        assert judge(answered, card, prompts)[0].stored == 18 - handed_in


def test_only_a_judge_that_writes_on_a_server_has_batches(
    answered: Store, prompts: list[Prompt]
) -> None:
    with pytest.raises(InputError, match="on a server"):
        submit(plan(answered, load_card("smollm2", answered.home), prompts))
