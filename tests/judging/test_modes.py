"""Scores by criterion, five steps, rankings, turns, samples, repairs and long answers."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from arena.backends import OddsRequest
from arena.backends.local.backend import LocalBackend
from arena.config import parse_model
from arena.generation.answering import generate
from arena.generation.batch import Control
from arena.judging import JudgeCard, Wanted, judge, load_card, plan
from arena.judging.tasks import Task
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.worth_judging import battles_worth_judging
from arena.records import REPAIRED, Decoding, Mode, Model, Prompt
from arena.records.errors import InputError, StoreError
from arena.store import Store
from tests.servers import Served, completion, fault, serve

Write = Callable[..., str]
PAIRWISE = "{{ question }}\n{{ answer_a }}\n{{ answer_b }}\n"


def write_judge(home: Path, url: str, body: str, **templates: str) -> JudgeCard:
    """A judge on a server, its card's modes as YAML."""
    folder = home / "judges"
    folder.mkdir(exist_ok=True)
    for name, text in templates.items():
        (folder / f"{name}.md").write_text(text)
    (folder / "j.yaml").write_text(f"model: {{use: 'openai:m', base_url: '{url}'}}\n{body}")
    return load_card("j", home)


def text_of(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def answers_in(body: dict[str, Any]) -> dict[str, str]:
    found = re.findall(r"<answer_([a-i])(?:_\d)? (\w+)>\n(.*?)\n</answer", text_of(body), re.DOTALL)
    return {letter.upper(): text for letter, _, text in found}


def fill(store: Store, models: int, prompts: list[Prompt]) -> None:
    """Answers of fakes m1, m2, …, each a word longer than the one before."""
    for size in range(1, models + 1):
        decoding = Decoding(max_tokens=size)
        generate(
            store, replace(parse_model("fake:echo"), name=f"m{size}", decoding=decoding), prompts
        )


def test_criteria_are_asked_by_schema_and_stored_apart(
    answered: Store, prompts: list[Prompt]
) -> None:
    said = {"reason": "…", "helpfulness": 8, "correctness": 4}
    with serve(lambda body: json.dumps(said)) as served:
        card = write_judge(
            answered.home,
            served.url,
            "structured: true\nscore: {template: s.md, format: json, "
            "criteria: {helpfulness: 1, correctness: 3}}\n",
            s="{{ question }}{{ answer }}",
        )
        judge(answered, card, prompts, Mode.SCORE)
    schema = served.calls[0]["response_format"]["json_schema"]["schema"]
    assert set(schema["properties"]) == {"reason", "helpfulness", "correctness"}
    scores = list(answered.scores.where())
    assert {score.value for score in scores} == {5.0}
    assert scores[0].parts == (("helpfulness", 8.0), ("correctness", 4.0))


def test_scores_that_are_close_tie_as_the_card_says(answered: Store, prompts: list[Prompt]) -> None:
    def script(body: dict[str, Any]) -> str:
        answer = text_of(body).split("<answer")[1]
        return f"[[{({7: 9, 4: 6, 2: 5})[len(answer.splitlines()[1].split())]}]]"

    with serve(script) as served:
        template = "{{ question }}\n{{ answer }}"
        card = write_judge(
            answered.home, served.url, "score: {template: s.md, tie: 1}\n", s=template
        )
        judge(answered, card, prompts[:1], Mode.SCORE)
    outcomes = sorted(abs(outcome - 0.5) for outcome in gather(answered).judges["j"].outcome)
    assert outcomes == [0.0, 0.5, 0.5]  # 5 and 6 tie, 9 beats both


def test_a_little_better_is_half_way_to_a_tie(answered: Store, prompts: list[Prompt]) -> None:
    steps = "options: {'A>>B': 'A>>B', 'A>B': 'A>B', tie: 'A=B', 'B>A': 'B>A', 'B>>A': 'B>>A'}"

    def script(body: dict[str, Any]) -> str:
        shown = answers_in(body)
        a, b = len(shown["A"]), len(shown["B"])
        word = "=" if a == b else (">" if a > b else "<") * (2 if abs(a - b) > 15 else 1)
        return f"[[B{word.replace('<', '>')}A]]" if "<" in word else f"[[A{word}B]]"

    with serve(script) as served:
        card = write_judge(
            answered.home, served.url, f"pairwise: {{template: p.md, {steps}}}\n", p=PAIRWISE
        )
        judge(answered, card, prompts[:1])
    verdicts = list(answered.verdicts.where())
    assert {verdict.slight for verdict in verdicts} == {True, False}
    outcomes = gather(answered).judges["j"].outcome
    assert set(outcomes) <= {0.0, 0.25, 0.75, 1.0}
    assert {0.25, 0.75} & set(outcomes)
    assert gather(answered).reports["j"].flips.value == 0


def test_a_ranking_becomes_the_comparisons_of_its_pairs(
    store: Store, prompts: list[Prompt]
) -> None:
    fill(store, 6, prompts[:1])

    def by_length(body: dict[str, Any]) -> str:
        shown = answers_in(body)
        return f"[[{' > '.join(sorted(shown, key=lambda letter: -len(shown[letter])))}]]"

    with serve(by_length) as served:
        card = write_judge(
            store.home,
            served.url,
            "rank: {template: r.md, size: 4}\n",
            r="{{ question }}\n{{ answers }}\n{{ labels | join(', ') }}",
        )
        (progress,) = judge(store, card, prompts[:1], Mode.RANK)
    assert progress.total == 2 * 2  # two groups that share an answer, each in both orders
    evidence = gather(store)
    wins = evidence.judges["j"]
    assert len(wins) >= 6 + 6 - 1
    for i, j, outcome in zip(wins.i, wins.j, wins.outcome, strict=True):
        assert outcome == float(wins.models[i] > wins.models[j])
    assert evidence.reports["j"].flips.value == 0
    assert evidence.reports["j"].first_slot.value == 0.5


def test_a_judge_that_ranks_by_place_is_seen_through(store: Store, prompts: list[Prompt]) -> None:
    fill(store, 4, prompts)
    with serve(lambda body: "[[A > B > C > D]]") as served:
        template = "{{ question }}\n{{ answers }}"
        card = write_judge(store.home, served.url, "rank: {template: r.md}\n", r=template)
        judge(store, card, prompts, Mode.RANK)
    report = gather(store).reports["j"]
    assert (report.flips.value, report.first_slot.value) == (1.0, 1.0)
    assert report.objection is not None


def test_the_card_says_whether_each_turn_is_judged(answered: Store, prompts: list[Prompt]) -> None:
    two_turns = [prompts[1]]
    with serve(lambda body: "[[A]]") as served:
        card = write_judge(
            answered.home, served.url, "turns: each\npairwise: {template: p.md}\n", p=PAIRWISE
        )
        judge(answered, card, two_turns)
    assert sorted(v.turn for v in answered.verdicts.where()) == [1] * 6 + [2] * 6
    assert sum("answer_a_2" in text_of(body) for body in served.calls) == 6
    report = gather(answered).reports["j"]
    assert (report.pairs, report.flips.value) == (6, 1.0)


def test_samples_are_asked_apart(answered: Store, prompts: list[Prompt]) -> None:
    with serve(lambda body: "[[A]]") as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        with pytest.raises(InputError, match="says the same each time"):
            plan(answered, card, prompts, wanted=Wanted(samples=3))
        card = warmed(card)
        judge(answered, card, prompts[:1], wanted=Wanted(samples=3))
        (again,) = judge(answered, card, prompts[:1])
    assert (len(served.calls), again.found) == (18, 6)
    assert len({body["seed"] for body in served.calls}) == 18
    assert gather(answered).reports["j"].pairs == 9


def replies(served: Served) -> list[int]:
    return [len(body["messages"]) for body in served.calls]


def test_a_reply_without_a_verdict_is_repaired_once(answered: Store, prompts: list[Prompt]) -> None:
    def script(body: dict[str, Any]) -> str:
        return "[[B]]" if len(body["messages"]) == 3 else "The second, I think."

    with serve(script) as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        (progress,) = judge(answered, card, prompts)
    assert (progress.stored, progress.unparsed) == (18, 0)
    assert sorted(replies(served)) == [1] * 18 + [3] * 18
    texts = {v.text for v in answered.verdicts.where()}
    assert texts == {f"The second, I think.{REPAIRED}[[B]]"}
    asked = {text_of(body) for body in served.calls if len(body["messages"]) == 3}
    assert any("[[A]] / [[B]] / [[C]]" in text for text in asked)
    assert any("你的回复" in text for text in asked)


def cut_off(text: str) -> web.Response:
    """A reply that max_tokens ended."""
    body = completion(text)
    body["choices"][0]["finish_reason"] = "length"
    return web.json_response(body)


def test_a_reply_that_was_cut_off_is_repaired_and_its_finish_stored(
    answered: Store, prompts: list[Prompt]
) -> None:
    def script(body: dict[str, Any]) -> Any:
        return "[[A]]" if len(body["messages"]) == 3 else cut_off("[[B]] is strong, but it")

    with serve(script) as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        assert judge(answered, card, prompts)[0].unparsed == 0
    assert {(v.preference, v.finish) for v in answered.verdicts.where()} == {("A", "stop")}


@pytest.mark.parametrize("text", ["<think>Is it [[A]]? Or", ""])
def test_a_judge_whose_tokens_went_into_thinking_is_not_asked_in_vain(
    text: str, answered: Store, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda _: cut_off(text)) as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        assert judge(answered, card, prompts)[0].unparsed == 18
        assert replies(served) == [1] * 18
        tokens = card.model.decoding.max_tokens
        reasons = {
            (v.finish, f"{tokens:,} max_tokens" in v.reason) for v in answered.verdicts.where()
        }
        assert reasons == {("length", True)}
        monkeypatch.setattr("arena.judging.cards.card.VERSION", 10**6)
        again = load_card(card.name, answered.home)
        assert plan(answered, again, prompts).reparse() == 18
        assert {v.finish for v in answered.verdicts.where()} == {"length"}


def test_a_failed_repair_leaves_the_reply_that_was_paid_for(
    answered: Store, prompts: list[Prompt]
) -> None:
    def script(body: dict[str, Any]) -> Any:
        return fault(400) if len(body["messages"]) == 3 else "Neither."

    with serve(script) as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        (progress,) = judge(answered, card, prompts)
    assert (progress.stored, progress.unparsed, progress.failed) == (18, 18, 0)
    assert {v.text for v in answered.verdicts.where()} == {"Neither."}


def test_a_stored_reply_is_read_anew_when_the_card_reads_otherwise(
    answered: Store, prompts: list[Prompt]
) -> None:
    body = "pairwise: {template: p.md}\n"

    def script(asked: dict[str, Any]) -> Any:
        said = "Extra inputs are not permitted: seed"
        return fault(400, said) if "seed" in asked else "A"

    with serve(script) as served:
        before = write_judge(answered.home, served.url, body, p=PAIRWISE)
        assert judge(answered, before, prompts)[0].unparsed == 18
        asked = len(served.calls)
        changed = body.replace("}", ", format: compassjudger}")
        after = write_judge(answered.home, served.url, changed, p=PAIRWISE)
        assert plan(answered, after, prompts).reparse() == 18
        assert judge(answered, after, prompts)[0].found == 18
        assert len(served.calls) == asked
    assert {v.adjustments for v in answered.verdicts.where()} == {(("seed", ""),)}
    assert gather(answered).reports["j"].unparsed.value == 0
    assert gather(answered).reports["j"].first_slot.value == 1.0


def test_only_what_failed_or_was_unparsed_is_asked_again(
    answered: Store, prompts: list[Prompt]
) -> None:
    broken = True

    def script(body: dict[str, Any]) -> Any:
        if broken and "rainbow" in text_of(body):
            return fault(400)
        return "hm" if broken and "two and two" in str(body) else "[[A]]"

    with serve(script) as served:
        card = write_judge(answered.home, served.url, "pairwise: {template: p.md}\n", p=PAIRWISE)
        (first,) = judge(answered, card, prompts)
        assert (first.stored, first.failed, first.unparsed) == (12, 6, 6)
        wanted = plan(answered, card, prompts)
        assert wanted.parsed_share() == 0.5
        broken, asked = False, len(served.calls)
        again = wanted.only_failed()
        assert len(again.tasks) == 12
        assert again.ask(Control()).stored == 12
        assert len(served.calls) == asked + 12
    assert wanted.parsed_share() == 1.0
    assert plan(answered, card, prompts).only_failed().tasks == []
    report = gather(answered).reports["j"]
    assert (report.pairs, report.unparsed.value) == (9, 0.0)


def warmed(card: JudgeCard) -> JudgeCard:
    decoding = replace(card.model.decoding, temperature=0.5)
    return replace(card, model=replace(card.model, decoding=decoding))


def key_of(store: Store, card: JudgeCard, prompts: list[Prompt], **settings: Any) -> set[str]:
    changed = replace(card, model=replace(card.model, **settings))
    return {task.key for task in plan(store, changed, prompts).tasks}


def test_what_the_verdict_depends_on_is_in_its_key_and_nothing_else(
    answered: Store, prompts: list[Prompt]
) -> None:
    body = "pairwise: {template: p.md}\n"
    card = write_judge(answered.home, "http://x/v1", body, p=PAIRWISE)
    keys = key_of(answered, card, prompts)
    for same in (
        {"timeout": 5.0},
        {"base_url": "http://y/v1"},
        {"api_key_env": "K"},
        {"name": "n"},
    ):
        assert key_of(answered, card, prompts, **same) == keys, same
    warm = warmed(card).model.decoding
    for other in ({"revision": "2"}, {"decoding": warm}, {"weights": "n"}):
        assert not key_of(answered, card, prompts, **other) & keys, other
    sampled = plan(answered, warmed(card), prompts, wanted=Wanted(samples=2)).tasks
    assert len({task.key for task in sampled}) == 2 * len(keys)
    strict = write_judge(answered.home, "http://x/v1", body, p=PAIRWISE + "Be strict.")
    assert not key_of(answered, strict, prompts) & keys


def test_both_answers_are_cut_alike_where_the_context_is_short(
    store: Store, write_card: Write
) -> None:
    prompt = Prompt("long", ("word " * 900,))
    for name, most in (("brief", 3), ("long", 900)):
        model = replace(parse_model("fake:echo"), name=name, decoding=Decoding(max_tokens=most))
        generate(store, model, [prompt])
    write_card("small", "{use: fake:longer, context_length: 2000, max_tokens: 100}")
    card = load_card("small", store.home)
    (progress,) = judge(store, card, [prompt])
    assert (progress.stored, progress.truncated) == (2, 2)
    assert {v.truncated for v in store.verdicts.where()} == {True}
    text = plan(store, card, [prompt]).tasks[0].text
    assert "characters cut" in text
    assert "word word word\n</answer" in text  # the brief one is whole
    assert len(text) < 2000 * 3.5


def test_a_judge_with_room_cuts_nothing(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    write_card("roomy", "{use: fake:longer, context_length: 8000}")
    assert judge(answered, load_card("roomy", answered.home), prompts)[0].truncated == 0


def test_the_same_answer_in_both_slots_is_a_tie(
    store: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """Whatever a judge says of it in one order, in the other it says of the other."""
    for name in ("twin", "other"):
        generate(store, replace(parse_model("fake:echo"), name=name), prompts)
    for persona, reading in (("first", "reasoned"), ("first", "logit"), ("longer", "logit")):
        name = write_card(f"{persona}-{reading}", f"fake:{persona}", reading)
        judge(store, load_card(name, store.home), prompts)
        assert list(gather(store).judges[name].outcome) == pytest.approx([0.5] * 3)


@pytest.mark.model
def test_a_batch_of_one_and_of_many_give_the_same_verdicts(
    answered: Store, prompts: list[Prompt]
) -> None:
    tasks: list[Task] = list(plan(answered, load_card("smollm2", answered.home), prompts).tasks)
    requests = [OddsRequest(t.text, t.mode.words, t.mode.prefill) for t in tasks]
    model: Model = tasks[0].mode.card.model
    found = [
        {i: odds for part in LocalBackend(model, rows).odds(requests) for i, odds in part}
        for rows in (1, 32)
    ]
    assert len(found[0]) == len(requests) == 18
    for i in range(18):
        alone, together = (batch[i].logprobs for batch in found)
        assert alone == pytest.approx(together, abs=1e-3)
        assert (alone[0] > alone[1]) == (together[0] > together[1])


def test_the_battles_that_would_tell_most_are_judged_first(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    battles = battles_worth_judging(answered, prompts, [], 4)
    assert 1 <= len(battles) <= 4
    wanted = Wanted(battles=battles)
    assert judge(answered, card, prompts, wanted=wanted)[0].stored == 2 * len(battles)
    more = battles_worth_judging(answered, prompts, [], 100)
    assert not more & battles
    assert len(more | battles) == 9
    with pytest.raises(InputError, match="--pairs go with --mode pairwise"):
        plan(answered, card, prompts, Mode.SCORE, wanted=wanted)


def test_battles_that_were_begun_are_ended_before_others_are_drawn(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """A run of a few battles was killed: after one order of some, and before its second judge."""
    personas = (("one", "fake:longer"), ("two", "fake:first"))
    one, two = (load_card(write_card(*persona), answered.home) for persona in personas)
    drawn = battles_worth_judging(answered, prompts, [], 3, ["one", "two"])
    half = Wanted(battles=drawn, both_orders=False)
    judge(answered, one, prompts, wanted=half)
    assert battles_worth_judging(answered, prompts, [], 3, ["one", "two"]) == drawn
    judge(answered, one, prompts, wanted=Wanted(battles=drawn))
    assert battles_worth_judging(answered, prompts, [], 3, ["one", "two"]) == drawn
    judge(answered, two, prompts, wanted=Wanted(battles=drawn))
    more = battles_worth_judging(answered, prompts, [], 3, ["one", "two"])
    assert more
    assert not more & drawn
    assert len(battles_worth_judging(answered, prompts, [], 100, ["three"])) == 9


def test_a_full_disk_leaves_what_was_stored(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    db = answered._connections.db
    db.execute("VACUUM")  # no page is free now
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreError, match="full"):
        judge(answered, card, prompts)
    db.execute("PRAGMA max_page_count = 1073741823")
    kept = {v.key for v in answered.verdicts.where()}
    assert len(kept) < 18
    (again,) = judge(answered, card, prompts)
    assert (again.found, again.stored) == (len(kept), 18 - len(kept))


def test_hard_pairs_are_put_to_a_second_judge_in_the_first_ones_name(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """The first follows the order, so all its pairs are hard; what the second says stands."""
    write_card("careful", "fake:longer")
    name = write_card("quick", "fake:first", "logit", extra="cascade: {to: careful}\n")
    card = load_card(name, answered.home)
    judge(answered, card, prompts)
    assert {v.judge for v in answered.verdicts.where()} == {"quick"}
    assert answered.verdicts.count() == 36
    evidence = gather(answered)
    assert set(evidence.judges) == {"quick"}
    assert evidence.reports["quick"].flips.value == 0
    assert set(evidence.judges["quick"].outcome) <= {0.0, 0.5, 1.0}
    assert judge(answered, card, prompts)[0].stored == 0
    plain = load_card("careful", answered.home)
    assert plain.key(Mode.PAIRWISE) != card.key(Mode.PAIRWISE)


def test_a_judge_that_is_sure_asks_nobody(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    write_card("careful", "fake:first")
    name = write_card("sure", "fake:longer", "logit", extra="cascade: {to: careful}\n")
    planned = plan(answered, load_card(name, answered.home), prompts[:1])
    planned.ask(Control())
    hard = planned.second_opinions()
    assert hard is not None
    assert hard.tasks == []


def test_a_run_tells_the_failures_of_both_judges_of_a_cascade(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    """The first judge's failures are in the steps of a run, whoever starts it."""
    asked: list[str] = []

    def watch(what: str) -> Control:
        asked.append(what)
        return Control()

    with serve(lambda body: fault(400) if "rainbow" in text_of(body) else "[[A]]") as served:
        write_card("careful", "fake:longer", "reasoned")
        body = "pairwise: {template: p.md}\ncascade: {to: careful}\n"
        card = write_judge(answered.home, served.url, body, p=PAIRWISE)
        first, second = judge(answered, card, prompts, watch=watch)
    assert first.failed == 6
    assert second.stored > 0
    assert asked == ["j judges", "careful judges what j finds hard"]


def test_a_cascade_has_one_step_down(tmp_path: Path, write_card: Write) -> None:
    write_card("one", "fake:first", extra="cascade: {to: two}\n")
    write_card("two", "fake:first", extra="cascade: {to: three}\n")
    write_card("three", "fake:first")
    with pytest.raises(InputError, match="two must compare pairs and have no cascade"):
        load_card("one", tmp_path)
