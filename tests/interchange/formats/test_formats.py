"""Each format: recognised, taken in once however often, and written so that it reads the same."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from arena.interchange.exchange.intake import TakenIn, take_in
from arena.interchange.exchange.reading import Hints
from arena.interchange.exchange.source import EARLIER, NO_PLACE, Outgoing
from arena.interchange.formats import FORMATS, named, recognised
from arena.judging.report_card.orders import read_pairs
from arena.records import Judge, Preference, Verdict, Winner, content_key
from arena.records.errors import InputError, UnknownNameError
from arena.store import Store
from tests.exchange_files import ASKED, EXAMPLES, MODELS, lines, said

NO_HINTS = Hints()
TABLES = ("prompts", "answers", "votes", "verdicts", "scores", "judges")


def bring(store: Store, name: str, path: Path, hints: Hints = NO_HINTS, **rest: Any) -> TakenIn:
    read = named(name).read
    assert read is not None
    return take_in(store, read(path, hints), **rest)


def content(store: Store) -> dict[str, list[Any]]:
    """Everything that is stored, but where it came from."""
    found: dict[str, list[Any]] = {"models": store.models()}
    for table in TABLES:
        rows = getattr(store, table).where()
        found[table] = sorted(
            (replace(row, source="") if table == "prompts" else row for row in rows), key=repr
        )
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_files_are_recognised(example: str, tmp_path: Path) -> None:
    name, make = EXAMPLES[example]
    found, seen = recognised(make(tmp_path / "files"))
    assert found.name == name
    assert seen


@pytest.mark.parametrize("example", EXAMPLES)
def test_twice_is_once(example: str, tmp_path: Path, store: Store) -> None:
    name, make = EXAMPLES[example]
    path = make(tmp_path / "files")
    first = bring(store, name, path)
    before = content(store)
    second = bring(store, name, path)
    assert sum(count.new for count in first.counts.values()) > 0
    assert sum(count.new for count in second.counts.values()) == 0
    assert second.counts["votes"].there == first.counts["votes"].new
    assert second.counts["verdicts"].there == first.counts["verdicts"].new
    assert content(store) == before


OUT = {
    "fastchat": ("fastchat", "out"),
    "arena-hard": ("arena-hard", "out"),
    "alpacaeval": ("alpacaeval", "out"),
    "chatbot-arena": ("chatbot-arena", "out.json"),
    "chatbot-arena.csv": ("chatbot-arena", "out.csv"),
    "chatbot-arena.parquet": ("chatbot-arena", "out.parquet"),
    "kaggle": ("chatbot-arena", "out.jsonl"),
    "arena log": ("chatbot-arena", "out.jsonl"),
    "table": ("table", "out.jsonl"),
    "table.csv": ("table", "out.csv"),
    "table.parquet": ("table", "out.parquet"),
    "label-studio": ("label-studio", "out"),
    "argilla": ("argilla", "out.json"),
    "preference": ("preference", "out.jsonl"),
}


@pytest.mark.parametrize("example", OUT)
def test_what_is_written_reads_the_same(example: str, tmp_path: Path, store: Store) -> None:
    """A store is the same after its files went into another, and a second export has the bytes."""
    name, file = OUT[example]
    own, make = EXAMPLES[example.partition(".")[0]]
    bring(store, own, make(tmp_path / "files"))
    written = named(name).write(Outgoing(store, voters=True, baseline=MODELS[2]), tmp_path / file)
    assert written.counts.total() > 0
    other = Store(tmp_path / "other.db")
    bring(other, name, tmp_path / file)
    assert content(other) == content(store)
    again = tmp_path / f"again-{file}"
    named(name).write(Outgoing(other, voters=True, baseline=MODELS[2]), again)
    assert _bytes(again) == _bytes(tmp_path / file)


def _bytes(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*.json*")}


def test_mt_bench_says_what_its_files_say(tmp_path: Path, store: Store) -> None:
    bring(store, "fastchat", EXAMPLES["fastchat"][1](tmp_path))
    assert [model.name for model in store.models()] == sorted(MODELS)
    prompts = {prompt.name: prompt for prompt in store.prompts.where()}
    assert prompts["81"].turns == (ASKED[0], "Again, shorter.")
    assert prompts["83"].references == ("4", "4.")
    verdicts = list(store.verdicts.where())
    assert len(verdicts) == 12
    assert {v.judge for v in verdicts} == {"gpt-4"}
    assert {v.turn for v in verdicts} == {1, 2}
    answers = store.answers.get({v.first for v in verdicts})
    first = verdicts[0]
    assert answers[first.first].model == MODELS[0]
    assert answers[first.first].turns == (said(MODELS[0], 0), said(MODELS[0], 0, 2))
    assert (first.preference, first.text) == (Preference.A, "A is better [[A]] 0 1")
    swapped = verdicts[1]  # model_1 won both games, and was shown second in this one
    assert (swapped.first, swapped.preference) == (first.second, Preference.B)
    assert sum(v.preference is Preference.UNPARSED for v in verdicts) == 2
    values = [score.value for score in store.scores.where()]
    assert values.count(None) == 6
    assert values.count(7.5) == 6


def test_a_file_of_questions_describes_them_anew(tmp_path: Path, store: Store) -> None:
    folder = EXAMPLES["fastchat"][1](tmp_path)
    bring(store, "fastchat", folder)
    file = folder / "question.jsonl"
    file.write_text(file.read_text("utf-8").replace('"writing"', '"travel"'), encoding="utf-8")
    found = bring(store, "fastchat", folder)
    assert (found.counts["prompts"].new, found.counts["prompts"].there) == (0, 3)
    assert {prompt.category for prompt in store.prompts.where()} == {"travel"}


def test_a_reference_answer_is_no_candidates(tmp_path: Path, store: Store) -> None:
    folder = EXAMPLES["fastchat"][1](tmp_path)
    rows = [{"question_id": 81, "answer_id": "r", "model_id": "teacher",
             "choices": [{"index": 0, "turns": ["The Rhine.", "Rhine."]}]}]  # fmt: skip
    lines(folder / "reference_answer" / "teacher.jsonl", rows)
    bring(store, "fastchat", folder)
    assert "teacher" not in {model.name for model in store.models()}
    prompts = {prompt.name: prompt for prompt in store.prompts.where()}
    assert prompts["81"].references == ("The Rhine.", "Rhine.")
    assert prompts["83"].references == ("4", "4.")


def test_one_file_finds_its_questions_above_it(tmp_path: Path, store: Store) -> None:
    folder = EXAMPLES["fastchat"][1](tmp_path)
    bring(store, "fastchat", folder / "model_judgment" / "gpt-4_pair.jsonl")
    assert store.verdicts.count() == 12
    assert all(answer.is_absent for answer in store.answers.where())


def test_a_log_of_the_arena_holds_no_addresses(tmp_path: Path, store: Store) -> None:
    found = bring(store, "fastchat", EXAMPLES["arena log"][1](tmp_path))
    assert found.passed == {"they are no votes": 1}
    votes = list(store.votes.where())
    assert [vote.winner for vote in votes] == [Winner.MODEL_A, Winner.BOTH_BAD, Winner.TIE]
    assert [vote.voter for vote in votes] == [f"2023-06-22-conv user {k}" for k in (1, 2, 1)]
    assert {prompt.turns for prompt in store.prompts.where()} == {(text,) for text in ASKED}


def test_arena_hard_has_the_baseline_first_in_the_first_game(tmp_path: Path, store: Store) -> None:
    bring(store, "arena-hard", EXAMPLES["arena-hard"][1](tmp_path))
    verdicts = list(store.verdicts.where())
    answers = store.answers.get({key for v in verdicts for key in (v.first, v.second)})
    one, two = verdicts[0], verdicts[1]
    assert answers[one.first].model == MODELS[2]
    assert answers[two.second].model == MODELS[2]
    assert (one.preference, one.slight) == (Preference.A, False)
    assert (two.preference, two.slight) == (Preference.B, True)
    assert {prompt.category for prompt in store.prompts.where()} == {"hard_prompt/coding"}
    assert sum(v.preference is Preference.UNPARSED for v in verdicts) == 2


def test_the_first_arena_hard_names_its_baseline_nowhere(tmp_path: Path, store: Store) -> None:
    bring(store, "arena-hard", EXAMPLES["arena-hard 0.1"][1](tmp_path))
    assert [model.name for model in store.models()] == ["gpt-4-0314", "m"]
    other = Store(tmp_path / "other.db")
    hints = replace(NO_HINTS, baseline="gpt-4-turbo")
    bring(other, "arena-hard", tmp_path, hints)
    assert [model.name for model in other.models()] == ["gpt-4-turbo", "m"]


def test_alpaca_evals_preference_is_the_second_outputs_odds(tmp_path: Path, store: Store) -> None:
    bring(store, "alpacaeval", EXAMPLES["alpacaeval"][1](tmp_path))
    verdicts = list(store.verdicts.where())
    assert [v.preference for v in verdicts] == [Preference.A, Preference.B, Preference.TIE]
    assert [v.p_second for v in verdicts] == [None, pytest.approx(0.734), None]
    assert json.loads(verdicts[1].text) == {"logprobs": [1, -0.5]}
    columns = store.evidence.verdicts()
    for_first = {
        columns.prompt[pair.index]: pair.preference
        if columns.model_a[pair.index] == MODELS[0]
        else 1 - pair.preference
        for pair in read_pairs(columns, range(3))
    }
    # AlpacaEval's win rate of the second model is the mean of preference − 1.
    assert 1 - sum(for_first.values()) / 3 == pytest.approx((0.0 + 0.734 + 0.5) / 3)


def test_kaggles_winners_are_flags(tmp_path: Path, store: Store) -> None:
    bring(store, "chatbot-arena", EXAMPLES["kaggle"][1](tmp_path))
    votes = list(store.votes.where())
    assert [vote.winner for vote in votes] == [Winner.MODEL_A, Winner.MODEL_B, Winner.TIE]
    assert [prompt.name for prompt in store.prompts.where()] == ["30192", "30193", "30194"]


def test_a_vote_on_the_first_turn_is_about_that_turn(tmp_path: Path, store: Store) -> None:
    path = EXAMPLES["chatbot-arena"][1](tmp_path)
    rows = json.loads(path.read_text("utf-8"))
    rows[0]["turn"] = 1
    path.write_text(json.dumps(rows), encoding="utf-8")
    bring(store, "chatbot-arena", path)
    prompts = {prompt.name: prompt.turns for prompt in store.prompts.where()}
    assert prompts["c0 (turn 1)"] == (ASKED[0],)
    assert prompts["c1"] == (ASKED[1], "And?")
    assert [p.language for p in store.prompts.where()] == ["en", "zh", "Klingon"]


def test_one_model_may_answer_a_prompt_in_several_ways(tmp_path: Path, store: Store) -> None:
    path = EXAMPLES["table"][1](tmp_path)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines(path, [rows[0], rows[0] | {"answer_a": "Another text.", "voter": "cy"}])
    for _ in range(2):
        bring(store, "table", path)
    found = sorted((a.model, a.sample, a.turns[0]) for a in store.answers.where())
    assert [(model, sample) for model, sample, _ in found] == [
        (MODELS[1], 0), (MODELS[0], 0), (MODELS[0], 1),
    ]  # fmt: skip
    assert store.votes.count() == 2


def test_an_import_of_battles_and_a_table_are_the_same(tmp_path: Path, store: Store) -> None:
    from arena.interchange.imports import import_battles

    path = EXAMPLES["table"][1](tmp_path)
    import_battles(store, path)
    before = content(store)
    found = bring(store, "table", path)
    assert sum(count.new for count in found.counts.values()) == 0
    assert content(store) == before


def test_names_change_when_told(tmp_path: Path, store: Store) -> None:
    path = EXAMPLES["fastchat"][1](tmp_path)
    bring(store, "fastchat", path, rename={MODELS[0]: "vicuna", "gpt-4": "old gpt"})
    assert "vicuna" in {model.name for model in store.models()}
    assert {v.judge for v in store.verdicts.where()} == {"old gpt"}
    with pytest.raises(InputError, match="--rename nobody=x: no model or judge"):
        bring(store, "fastchat", path, rename={"nobody": "x"})


def test_other_answers_of_a_stored_model_are_refused(tmp_path: Path, store: Store) -> None:
    path = EXAMPLES["fastchat"][1](tmp_path)
    bring(store, "fastchat", path)
    before = content(store)
    file = path / "model_answer" / "vicuna-13b.jsonl"
    file.write_text(file.read_text("utf-8").replace("two", "three"), encoding="utf-8")
    with pytest.raises(InputError, match="another answer of vicuna-13b to 81 is stored already"):
        bring(store, "fastchat", path)
    assert content(store) == before


def test_what_a_judge_of_this_database_said_is_not_added_to(
    tmp_path: Path, answered: Store, write_card: Any
) -> None:
    from arena.records import Judge

    answered.judges.add([Judge("0" * 32, "gpt-4", json.dumps({"model": {}}))])
    with pytest.raises(InputError, match=r"gpt-4 is a judge of this database.*--rename gpt-4=NAME"):
        bring(answered, "fastchat", EXAMPLES["fastchat"][1](tmp_path))


def test_unknown_files_and_formats_are_named(tmp_path: Path) -> None:
    lines(tmp_path / "x.jsonl", [{"colour": "red"}])
    with pytest.raises(InputError, match=r"no format that is known \(the first row of x.jsonl has"):
        recognised(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        recognised(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of data in it"):
        recognised(tmp_path / "empty")
    with pytest.raises(UnknownNameError, match="did you mean 'fastchat'"):
        named("fastchatt")


def test_several_formats_in_one_folder_are_not_guessed(tmp_path: Path) -> None:
    EXAMPLES["fastchat"][1](tmp_path / "one")
    EXAMPLES["alpacaeval"][1](tmp_path / "two")
    with pytest.raises(InputError, match=r"more than one format fits \(fastchat: .*alpacaeval: "):
        recognised(tmp_path)


def test_the_table_of_formats_is_true() -> None:
    for one in FORMATS:
        assert callable(one.module.recognise), one.name
        if one.out:
            assert callable(one.write), one.name
        assert one.read or one.results or callable(one.module.fill), one.name
        assert asdict(one)["title"]


def test_the_documentation_names_every_format() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for one in FORMATS:
        (row,) = [line for line in rows if f"`{one.name}`" in line.split("|")[1]]
        assert (row.split("|")[3].strip() != "–") == one.out, one.name


def test_a_verdict_that_followed_the_order_is_a_tie(tmp_path: Path, store: Store) -> None:
    """As MT-Bench's own data set has it of GPT-4."""
    talk = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    row = {
        "question_id": 81, "model_a": "one", "model_b": "two", "winner": "tie (inconsistent)",
        "judge": ["gpt-4", "pair-v2"], "conversation_a": talk, "conversation_b": talk, "turn": 1,
    }  # fmt: skip
    path = tmp_path / "gpt4_pair.jsonl"
    path.write_text(json.dumps(row))
    bring(store, "chatbot-arena", path)
    (verdict,) = store.verdicts.where()
    assert (verdict.judge, verdict.preference) == ("gpt-4", Preference.TIE)


def test_what_a_format_has_no_place_for_is_counted(tmp_path: Path, store: Store) -> None:
    bring(store, "table", EXAMPLES["table"][1](tmp_path / "files"))
    (first, *_) = store.votes.where()
    again = replace(first, battle="again", voter="somebody", propensity=0.25, seconds=3.0)
    store.votes.cast(again)
    keys = {name: Judge(content_key(name), "j", "{}") for name in ("early", "late")}
    for name, judge in keys.items():
        store.judges.add([judge])
        verdict = Verdict(
            f"v{name}", "j", judge.key, first.prompt_key, first.first, first.second, Preference.A
        )
        store.verdicts.add([replace(verdict, text="[[A]]", p_first=0.9, p_second=0.1)])
    for name, file in (("table", "t.csv"), ("chatbot-arena", "c.json"), ("argilla", "a.json")):
        written = named(name).write(Outgoing(store), tmp_path / "made" / "for it" / file)
        left = dict(written.left_out)
        assert bool(left.get(("propensities", NO_PLACE))) == (name != "table"), name
        assert bool(left.get(("times of voting", NO_PLACE))) == (name != "table"), name
        if name == "chatbot-arena":  # it holds no verdict at all
            assert sum(n for (what, _), n in left.items() if what == "verdicts") == 3
        else:
            assert left["verdicts", EARLIER] == 1
            assert left["probabilities", NO_PLACE] == left["replies of judges", NO_PLACE] == 1


def test_two_names_of_one_card_are_one_judge(tmp_path: Path, store: Store) -> None:
    """As after `arena judges copy`, before anything is changed in the copy; the later one says."""
    bring(store, "table", EXAMPLES["table"][1](tmp_path / "files"))
    (first, *_) = store.votes.where()
    store.judges.add([Judge("k" * 32, name, "{}") for name in ("one", "copy")])
    store.verdicts.add(
        Verdict(name, name, "k" * 32, first.prompt_key, first.first, first.second, Preference.A)
        for name in ("one", "copy")
    )
    named("table").write(Outgoing(store), tmp_path / "out.jsonl")
    said = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {row["source"] for row in said} == {"human", "gpt-4", "copy"}


def test_nothing_to_write_makes_neither_file_nor_folder(tmp_path: Path, store: Store) -> None:
    written = named("table").write(Outgoing(store), tmp_path / "new" / "votes.csv")
    assert not written.counts.total()
    assert not (tmp_path / "new").exists()
