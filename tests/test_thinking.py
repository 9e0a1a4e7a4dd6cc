"""What a model thinks: the same beside the answer on every way here, and nowhere else."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from arena.config import parse_model
from arena.generation.answering import generate
from arena.judging import judge, load_card
from arena.leaderboard.board import Policy
from arena.leaderboard.unranked import ranked_or_not
from arena.publish import publish_ranking
from arena.records import NoAnswer, Prompt
from arena.store import Store
from arena.web.pages.vote import VotePage
from arena.web.security.voters import Visitor, Voters
from arena.web.services import services
from tests.backends.test_thinking import MARKS
from tests.servers import completion, serve

SECRET, SAID = "A secret thought.", "It is 4."
ONE = [Prompt("one", ("Two and two?",))]
FIELDS: list[dict[str, Any]] = [
    {"reasoning_content": SECRET, "content": SAID},
    {"reasoning": SECRET, "content": SAID},
    {"content": [{"type": "thinking", "thinking": SECRET}, {"type": "text", "text": SAID}]},
]
MESSAGES = [*FIELDS, *({"content": f"{begin}{SECRET}{end}{SAID}"} for begin, end in MARKS)]


def whole(message: dict[str, Any], finish: str = "stop") -> web.Response:
    body = completion("")
    body["choices"][0] |= {"message": {"role": "assistant", **message}, "finish_reason": finish}
    return web.json_response(body)


async def pieces(message: dict[str, Any], finish: str = "stop") -> AsyncIterator[str]:
    """The same message in events: fields one by one, texts in pieces of five characters."""
    for name, value in message.items():
        parts = value if isinstance(value, str) else [value]
        size = 5 if isinstance(value, str) else 1
        for k in range(0, len(parts), size):
            delta = {name: parts[k] if size == 1 else parts[k : k + size]}
            yield json.dumps({"choices": [{"delta": delta, "finish_reason": None}]})
    yield json.dumps({"choices": [{"delta": {}, "finish_reason": finish}]})
    used = {"prompt_tokens": 5, "completion_tokens": 2}
    yield json.dumps({"choices": [], "usage": used})
    yield "[DONE]"


CUT = [{**one, "content": ""} for one in FIELDS[:2]]
CUT += [{"content": begin + SECRET} for begin, _ in MARKS]
Tell = Callable[[dict[str, Any], str], Any]


def told(store: Store, tell: Tell, messages: list[dict[str, Any]], finish: str) -> None:
    """Let a server send each message in reply to a prompt of its own, and store what it said."""
    prompts = [Prompt(f"{k:02d}", (str(k),)) for k in range(len(messages))]
    with serve(lambda body: tell(messages[int(body["messages"][-1]["content"])], finish)) as served:
        generate(store, parse_model(f"cand=openai:m@{served.url}"), prompts)


@pytest.mark.parametrize("tell", [whole, pieces])
def test_every_way_here_ends_in_the_same_answer(store: Store, tell: Tell) -> None:
    told(store, tell, MESSAGES, "stop")
    names = {prompt.key: MESSAGES[int(prompt.name)] for prompt in store.prompts.where()}
    found = [(names[a.prompt_key], a.turns, a.thinking) for a in store.answers.where()]
    assert len(found) == len(MESSAGES)
    assert [one for one in found if one[1:] != ((SAID,), (SECRET,))] == []


@pytest.mark.parametrize("tell", [whole, pieces])
def test_what_is_cut_in_the_middle_of_thinking_is_no_answer(store: Store, tell: Tell) -> None:
    told(store, tell, CUT, "length")
    assert store.answers.count() == 0
    states = [row.state for row in store.standing_unanswered().values()]
    assert states == [NoAnswer.THINKING] * len(CUT)


def test_nobody_but_who_asks_for_it_is_told_what_a_model_thought(
    store: Store, write_card: Callable[..., str], tmp_path: Path
) -> None:
    with serve(lambda body: whole(FIELDS[0]) if body["model"] == "m" else "[[A]]") as served:
        for name in "ab":
            generate(store, replace(parse_model(f"openai:m@{served.url}"), name=name), ONE)
        assert {one.thinking for one in store.answers.where()} == {(SECRET,)}
        asked = len(served.calls)
        card = write_card("j", f"openai:judge@{served.url}", "reasoned")
        judge(store, load_card(card, store.home), ONE)
        assert len(served.calls) > asked
        assert SECRET not in json.dumps(served.calls)

    voters = Voters("a secret of the app")
    visitor = Visitor(voters.identify(voters.new_cookie()), "en", "192.0.2.1")
    shown = VotePage(services(store, voters)).next_pair(visitor)
    assert SAID in str(shown)
    assert SECRET not in str(shown)

    site = tmp_path / "site"
    policy = Policy(min_comparisons=1, allow_weak_judges=True)
    publish_ranking(store, site, ranked_or_not(store, policy)[0], policy)
    files = [path.read_bytes() for path in site.rglob("*") if path.is_file()]
    assert any(SAID.encode() in content for content in files)
    assert not any(SECRET.encode() in content for content in files)

    lengths = store.evidence.answers()
    assert set(lengths.mean_length) == {len(SAID)}
