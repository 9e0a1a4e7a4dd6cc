"""`arena show` prints what is stored."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arena.cli.main import app
from arena.config import parse_model
from arena.generation.answering import generate
from arena.interchange.exchange.source import Outgoing
from arena.interchange.formats import named
from arena.interchange.imports import import_battles
from arena.judging import judge, load_card
from arena.records import Answer, Mode, Prompt
from arena.store import Store


@pytest.fixture
def judged(answered: Store, prompts: list[Prompt], write_card: Callable[..., str]) -> Store:
    for name, persona in (("clear", "fake:longer"), ("silent", "fake:mute")):
        judge(answered, load_card(write_card(name, persona), answered.home), prompts)
    return answered


def show(store: Store, *words: str) -> tuple[str, int]:
    done = CliRunner().invoke(app, ["show", *words, "--db", str(store.path)])
    told = done.stdout if "json" in words else done.output
    return told, done.exit_code


def test_a_prompt_with_its_turns_and_who_answered(answered: Store, prompts: list[Prompt]) -> None:
    printed, code = show(answered, "prompt", "three")
    assert code == 0
    assert "What is two and two?" in printed
    assert "Four." in printed
    assert "long, middle, short" in printed
    assert show(answered, "prompt", prompts[2].key[:7])[0] == printed


def test_answers_of_one_model_as_text_and_json(answered: Store) -> None:
    printed, _ = show(answered, "answers", "two", "--model", "long")
    assert "turn 2:" in printed
    assert "middle" not in printed
    few = json.loads(show(answered, "answers", "two", "--limit", "1", "--format", "json")[0])
    rows = json.loads(show(answered, "answers", "two", "--format", "json")[0])
    assert few == rows[:1]
    assert {row["model"] for row in rows} == {"long", "middle", "short"}
    assert {len(row["turns"]) for row in rows} == {2}
    table = show(answered, "answers", "two", "--format", "csv")[0]
    assert {row["model"] for row in csv.DictReader(io.StringIO(table))} == {
        *("long", "middle", "short")
    }


def test_thinking_is_printed_where_it_is_asked_for(store: Store) -> None:
    model, prompt = parse_model("fake:echo"), Prompt("one", ("One?",))
    generate(store, model, [prompt])
    answer = Answer(model.name, model.key, prompt.key, ("Yes.",), ("length",), sample=1)
    store.answers.add([replace(answer, thinking=("Let me see.",))])
    assert "Let me see." not in show(store, "answers", "one")[0]
    printed, _ = show(store, "answers", "one", "--thinking")
    assert "Let me see." in printed
    assert "cut off at max_tokens" in printed


def test_verdicts_with_their_replies_and_reasons(judged: Store) -> None:
    printed, code = show(judged, "verdicts", "--judge", "clear", "--model", "long")
    assert code == 0
    assert printed.count("clear on ") == 10
    assert "[[" in printed
    printed, _ = show(judged, "verdicts", "--unparsed", "--limit", "2")
    assert printed.count("silent on ") == 2
    assert "unparsed: the reply" in printed
    words = ("verdicts", "--prompt", "one", "--limit", "3", "--format", "json")
    assert [len(row["models"]) for row in json.loads(show(judged, *words)[0])] == [2, 2, 2]


def test_the_reply_to_a_repair_is_told_from_the_first_one(judged: Store) -> None:
    words = ("verdicts", "--judge", "silent", "--prompt", "one", "--limit", "1")
    printed, _ = show(judged, *words)
    first, second = printed.split("second reply, after it was told that the first has no verdict")
    assert first.count("I would rather not say.") == 1
    assert second.count("I would rather not say.") == 1
    assert "this one counts" in second
    (row,) = json.loads(show(judged, *words, "--format", "json")[0])
    assert row["replies"] == ["I would rather not say."] * 2
    clear = show(judged, "verdicts", "--judge", "clear", "--limit", "1")[0]
    assert "second reply" not in clear


def test_what_was_said_in_several_ways_is_one_table(
    judged: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    judge(judged, load_card(write_card("giver", "fake:first"), judged.home), prompts, Mode.SCORE)
    printed, _ = show(judged, "verdicts", "--limit", "99", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert {row["value"] for row in rows if row["judge"] == "giver"} == {"7.0"}
    assert {row["value"] for row in rows if row["judge"] == "clear"} == {""}
    assert {row["preference"] for row in rows if row["judge"] == "giver"} == {""}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prompt", "thre"), "did you mean 'three'"),
        (("answers", "one", "--model", "lnog"), "did you mean 'long'"),
        (("verdicts", "--judge", "claer"), "did you mean 'clear'"),
        (("verdicts", "--prompt", "nothing"), "nothing"),
    ],
)
def test_an_unknown_name_is_a_sentence(judged: Store, words: tuple[str, ...], said: str) -> None:
    printed, code = show(judged, *words)
    assert code == 2
    assert said in printed


def test_a_name_of_two_prompts_asks_for_a_key(store: Store) -> None:
    store.put_prompts([Prompt("same", ("One?",)), Prompt("same", ("Two?",))])
    printed, code = show(store, "prompt", "same")
    assert code == 2
    assert "2 prompts are named 'same'" in printed


def test_failures_are_listed(store: Store, tmp_path: Path) -> None:
    printed, code = show(store, "failures", "--format", "json")
    assert (json.loads(printed), code) == ([], 0)


def test_what_a_server_did_not_take_is_told(judged: Store) -> None:
    answer, verdict = next(judged.answers.where()), next(judged.verdicts.where())
    told = (("seed", ""), ("max_tokens", "max_completion_tokens"), ("system", "user"))
    judged.answers.add([replace(answer, sample=1, adjustments=told, first_token=0.25)])
    judged.verdicts.add([replace(verdict, key="later", adjustments=told)])
    (prompt,) = judged.prompts.get([answer.prompt_key]).values()
    printed, _ = show(judged, "answers", prompt.name)
    assert "the first after 0.25 s" in printed
    said = "asked without seed, max_tokens as max_completion_tokens, the system text before"
    assert said in printed
    assert "asked without seed" in show(judged, "verdicts", "--limit", "1")[0]
    rows = json.loads(show(judged, "answers", prompt.name, "--format", "json")[0])
    assert [row["adjustments"] for row in rows if row["adjustments"]] == [list(map(list, told))]


@pytest.mark.parametrize("within", [None, "of mine"])
def test_what_a_file_did_not_tell_is_not_made_up(
    store: Store, tmp_path: Path, within: str | None
) -> None:
    file = tmp_path / "battles.csv"
    file.write_text("model_a,model_b,winner,prompt\nx,y,model_a,one\n")
    import_battles(store, file, "human", within=within)
    for words in (("prompt", "one"), ("answers", "one")):
        printed, code = show(store, *words)
        assert code == 0
        assert "The import had no text of" in printed
        assert "empty" not in printed
        assert "battles.csv: one" not in printed
        assert "of mine: one" not in printed
    written = named("table").write(Outgoing(store), tmp_path / "out.csv")
    assert [what for what, _ in written.left_out] == ["questions"]
