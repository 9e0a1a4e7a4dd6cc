"""Battle files into the store, and the judges in them audited."""

import csv
import json
from contextlib import closing
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from arena.interchange.imports import import_battles
from arena.judging import judge, load_card
from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.judge_audit import audit_judge
from arena.leaderboard.ranking import leaderboard
from arena.records import Evidence, Prompt, Vote, Winner, content_key, keys_after
from arena.records.errors import InputError, UnavailableError, UnknownNameError
from arena.store import Store
from arena.store.connection import sqlite3 as driver
from tests.conftest import DATASETS

ROWS = """prompt,model_a,model_b,winner,source,answer_a,answer_b
1,x,y,model_a,human1,long one,short
1,x,y,tie,human2,long one,short
1,x,y,model_b,gpt,long one,short
2,y,x,model_b,human1,no,yes
2,y,x,unparsed,gpt,no,yes
"""


def write(folder: Path, text: str = ROWS, name: str = "battles.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def real(name: str) -> Path:
    if not (path := DATASETS / name).exists():
        pytest.skip(f"the real data is not here: {path}")
    return path


def test_people_and_judges_are_told_apart_by_their_source(store: Store, tmp_path: Path) -> None:
    found = import_battles(store, write(tmp_path))
    assert (found.votes, found.verdicts) == (3, {"gpt": 2})
    assert (found.prompts, found.models, found.answers) == (2, 2, 4)
    assert sorted(store.evidence.votes().voter) == ["human1", "human1", "human2"]
    assert list(store.votes.broken()) == []
    again = import_battles(store, write(tmp_path))
    assert (again.votes, again.verdicts, again.answers) == (0, {"gpt": 0}, 0)


def test_the_same_vote_said_twice_counts_twice(store: Store, tmp_path: Path) -> None:
    text = "model_a,model_b,winner,voter,prompt\n" + "x,y,model_a,ann,1\n" * 2
    assert import_battles(store, write(tmp_path, text)).votes == 2


def test_exchanging_the_sides_in_the_file_changes_no_rating(store: Store, tmp_path: Path) -> None:
    rows = list(csv.DictReader(ROWS.splitlines()))
    mirrored = {"model_a": "model_b", "model_b": "model_a"}
    for row in rows:
        row["model_a"], row["model_b"] = row["model_b"], row["model_a"]
        row["answer_a"], row["answer_b"] = row["answer_b"], row["answer_a"]
        row["winner"] = mirrored.get(row["winner"], row["winner"])
    text = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
    other = Store(tmp_path / "other.db")
    import_battles(store, write(tmp_path))
    import_battles(other, write(tmp_path, text, "mirrored.csv"))
    policy = Policy(min_comparisons=1)
    boards = [leaderboard(s, policy, evidence=Evidence.HUMAN).rows for s in (store, other)]
    assert [(r.model, r.rank) for r in boards[0]] == [(r.model, r.rank) for r in boards[1]]
    for there, here in zip(*boards, strict=True):
        assert there.rating == pytest.approx(here.rating, abs=1e-9)


def test_answers_without_text_are_never_shown_or_judged(store: Store, tmp_path: Path) -> None:
    text = "model_a,model_b,winner,voter,prompt\nx,y,model_a,ann,1\n"
    import_battles(store, write(tmp_path, text))
    assert store.evidence.pairs().model_a == []
    assert store.evidence.shared_prompts("x", "y") == []
    prompts = list(store.prompts.where())
    with pytest.raises(InputError, match="came from files without their texts, so there is"):
        judge(store, load_card("smollm2", tmp_path), prompts)


def test_an_imported_model_cannot_be_asked(store: Store, tmp_path: Path) -> None:
    from arena.backends import availability, open_backend

    import_battles(store, write(tmp_path))
    model = store.models()[0]
    assert not availability(model).ready
    with pytest.raises(UnavailableError, match="came from a file"):
        open_backend(model)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model_a,model_b,winner\nx,y,tie\n", "--as-votes"),
        ("model_a,model_b,winner,voter\nx,y,unparsed,ann\n", r"csv:2: winner: 'unparsed' is no"),
        ("model_a,model_b,winner,voter\nx,y,both,ann\n", r"csv:2: winner: 'both'"),
        ("model_a,model_b,winner,voter,source\nx,y,tie,,\n", r"csv:2: source: empty"),
        ("model_a,winner,voter\nx,tie,ann\n", "missing column 'model_b'"),
    ],
)
def test_a_bad_file_is_named_and_stores_nothing(
    store: Store, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        import_battles(store, write(tmp_path, text))
    assert not any(store.counts().values())


def test_a_file_without_a_column_for_it_may_be_one_judges(store: Store, tmp_path: Path) -> None:
    text = "model_a,model_b,winner\nx,y,tie\nx,z,model_a\n"
    assert import_battles(store, write(tmp_path, text), "mine").verdicts == {"mine": 2}
    assert import_battles(store, write(tmp_path, text), "human").votes == 2


@pytest.mark.slow
def test_the_judges_of_pandalm_are_as_their_makers_found_them(store: Store) -> None:
    import_battles(store, real("pandalm.csv"))
    gpt, own = (audit_judge(store, name).audit for name in ("gpt-3.5-turbo", "pandalm-7b"))
    assert gpt.agreement.value == pytest.approx(0.698, abs=5e-4)
    assert own.agreement.value == pytest.approx(0.668, abs=5e-4)
    assert gpt.kappa.value == pytest.approx(0.476, abs=1e-3)
    assert own.kappa.value == pytest.approx(0.435, abs=1e-3)
    for found in (gpt, own):
        assert found.agreement.n == 999
        assert found.agreement.low is not None
        assert found.agreement.high is not None
        assert found.agreement.low < found.agreement.value < found.agreement.high
        assert found.human_agreement.value == pytest.approx(0.92, abs=0.01)
        assert found.human_alpha.value == pytest.approx(0.865, abs=0.015)
    assert gpt.unparsed_rate.value == pytest.approx(25 / 999)
    with pytest.raises(UnknownNameError, match="did you mean 'pandalm-7b'"):
        audit_judge(store, "pandalm-7")


@pytest.mark.slow
def test_the_votes_and_judges_of_llmfao_meet_on_the_same_battles(store: Store) -> None:
    votes = import_battles(store, real("llmfao_votes.csv"), within="llmfao")
    verdicts = import_battles(store, real("llmfao_judges.csv"), within="llmfao")
    assert (votes.votes, votes.models) == (8931, 59)
    assert verdicts.verdicts == {"gpt-3.5": 2139, "gpt-4": 2139}
    assert verdicts.answers == 0
    evidence = gather(store)
    assert evidence.human is not None
    assert len(evidence.human) == 8931
    assert audit_judge(store, "gpt-4").audit.agreement.n == 2139


TURNS = {
    "prompt": 81.0,
    "question": ["Write a blog.", "Rewrite it."],
    "model_a": "x",
    "model_b": "y",
    "winner": "A",
    "voter": "expert",
    "answer_a": ["first", "second"],
    "answer_b": ["one", "two"],
}


def talk(*texts: object) -> list[dict[str, object]]:
    return [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(texts)]


def stored_turns(store: Store) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    return [p.turns for p in store.prompts.where()], [a.turns for a in store.answers.where()]


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet", "csv", "talks", "talks of parts"])
def test_turns_are_stored_as_turns(store: Store, tmp_path: Path, form: str) -> None:
    row: dict[str, object] = dict(TURNS)
    if form.startswith("talks"):
        for side, texts in (("a", ("first", "second")), ("b", ("one", "two"))):
            asked: list[object] = list(TURNS["question"])  # type: ignore[call-overload]
            if form == "talks of parts":
                asked = [[{"type": "text", "text": text}] for text in asked]
            row[f"conversation_{side}"] = talk(asked[0], texts[0], asked[1], texts[1])
            del row[f"answer_{side}"]
        del row["question"]
    path = tmp_path / f"b.{form if form in ('json', 'parquet', 'csv') else 'jsonl'}"
    if form == "parquet":
        pd.DataFrame([row]).to_parquet(path)
    elif form == "csv":
        cells = {k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()}
        pd.DataFrame([cells]).to_csv(path, index=False)
    else:
        path.write_text(json.dumps([row] if form == "json" else row), encoding="utf-8")
    assert import_battles(store, path).votes == 1
    assert stored_turns(store) == (
        [("Write a blog.", "Rewrite it.")],
        [("first", "second"), ("one", "two")],
    )
    assert [p.name for p in store.prompts.where()] == ["81"]


def test_an_answer_that_is_a_json_list_stays_a_text(store: Store, tmp_path: Path) -> None:
    cells = TURNS | {"question": "List two.", "answer_a": '["a", "b"]', "answer_b": "['a']"}
    pd.DataFrame([cells]).to_csv(tmp_path / "b.csv", index=False)
    import_battles(store, tmp_path / "b.csv")
    assert stored_turns(store)[1] == [('["a", "b"]',), ("['a']",)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer_b": ["one"]}, "answer_b: 1 turns, and there is 2 in the question"),
        ({"question": None}, "answer_a: 2 turns, and there is no question"),
        ({"question": [1, 2]}, r"question: \[1, 2\]; a list here holds texts"),
        ({"answer_a": {"text": "x"}}, "answer_a: {'text': 'x'}; it must be a text"),
        ({"answer_a": []}, r"answer_a: \[\]; it must be a text, or a list of texts"),
        ({"prompt": ["p"]}, r"prompt: \['p'\]; it must be a text"),
        ({"voter": {"id": 1}}, "voter: {'id': 1}; it must be a text"),
        (
            {"question": "['a', 'b']", "answer_a": "['c', 'd']", "answer_b": "['e', 'f']"},
            "question, answer_a, answer_b: lists in Python's notation; write them as JSON",
        ),
    ],
)
def test_lists_are_never_stored_as_text(
    store: Store, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = write(tmp_path, json.dumps(TURNS | change), "b.jsonl")
    with pytest.raises(InputError, match=rf"b\.jsonl:1: {said}"):
        import_battles(store, path)
    assert not any(store.counts().values())


@pytest.mark.parametrize(
    ("talks", "said"),
    [
        ((talk("q", "a"), talk("r", "b")), "conversation_b: the user says something else"),
        ((talk("q", "a"), talk("q")), "conversation_b: the last message is the user's"),
        (("nonsense", talk("q", "a")), "conversation_a: it must be a JSON list of messages"),
        (([{"text": "q"}], talk("q", "a")), "conversation_a: each message needs role and content"),
        ((talk("q", 5), talk("q", "a")), "conversation_a: the content of message 2 is not text"),
        (
            ([{"role": "system", "content": "s"}], talk("q", "a")),
            "conversation_a: message 1 is of 'system', and must be of 'user'",
        ),
    ],
)
def test_conversations_that_are_none(
    store: Store, tmp_path: Path, talks: tuple[object, object], said: str
) -> None:
    row = {"model_a": "x", "model_b": "y", "winner": "tie", "voter": "v"}
    row |= dict(zip(("conversation_a", "conversation_b"), talks, strict=True))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"b\.jsonl:1: {said}"):
        import_battles(store, write(tmp_path, json.dumps(row), "b.jsonl"))


def test_names_that_differ_in_case_are_said(store: Store, tmp_path: Path) -> None:
    text = "model_a,model_b,winner,voter\nGPT-4,m,tie,v\n gpt-4 ,m,tie,v\n"
    (note,) = import_battles(store, write(tmp_path, text)).notes
    assert note.startswith("'GPT-4' and 'gpt-4' are taken for 2 models")
    assert sorted(model.name for model in store.models()) == ["GPT-4", "gpt-4", "m"]


def test_ids_belong_to_their_file_unless_a_set_is_named(store: Store, tmp_path: Path) -> None:
    head, row = "prompt,model_a,model_b,winner,voter\n", "q1,a,b,model_a,{}\n"
    files = [tmp_path / name for name in ("one.csv", "two.csv")]
    for file, voter in zip(files, "vw", strict=True):
        file.write_text(head + row.format(voter))
        import_battles(store, file)
    assert [p.turns for p in store.prompts.where()] == [("one.csv: q1",), ("two.csv: q1",)]
    (note,) = import_battles(store, files[1], "human").notes
    assert note.startswith("1 prompts have the ids of others that were imported from one.csv")
    for file in files:
        assert import_battles(store, file).votes == 0
    assert import_battles(store, files[0], within="exam").notes  # they may be those of the files
    assert not import_battles(store, files[1], within="exam").prompts
    assert [p.turns for p in store.prompts.where()][2:] == [("exam: q1",)]


def test_a_file_that_an_earlier_version_imported_adds_nothing(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("prompt,model_a,model_b,winner,voter\nq1,a,b,model_a,v\n")
    store.put_prompts([Prompt("q1", ("q1",), "imported", "en", source=str(file))])
    assert import_battles(store, file).prompts == 0


def test_keys_that_begin_alike_are_those_of_whole_parts() -> None:
    key = keys_after("imported", "甲", 1)
    assert key(',"b",2]') == content_key("imported", "甲", 1, "b", 2)
    assert key(',"c",3]') == content_key("imported", "甲", 1, "c", 3)


def some_battles(folder: Path, rows: int, name: str = "many.csv") -> Path:
    dice = Random(rows)
    lines = ["model_a,model_b,winner,voter,prompt,category,propensity"]
    for _ in range(rows):
        a, b = dice.sample("wxyz", 2)
        winner = dice.choice(["model_a", "model_b", "tie", "both_bad"])
        prompt, drawn = dice.choice(["", "p1", "p2", "五"]), dice.choice(["", "0.5", "1"])
        lines.append(f'{a},{b},{winner},"v {dice.randrange(3)} ""é""",{prompt},c,{drawn}')
    return write(folder, "\n".join(lines) + "\n", name)


def indexes(store: Store) -> list[tuple[str, str]]:
    with closing(driver.connect(str(store.path))) as conn:
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        return conn.execute(sql).fetchall()


def test_many_rows_are_stored_as_a_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, indexes that are made at the end and the quick digest change nothing."""
    path, stores = some_battles(tmp_path, 60), []
    for name, few in (("few.db", 1_000), ("many.db", 10)):
        monkeypatch.setattr("arena.store.large.bulk.FEW", few)
        monkeypatch.setattr("arena.interchange.imports.BATCH", few)
        monkeypatch.setattr("arena.store.votes.BATCH", few)
        store = Store(tmp_path / name)
        assert import_battles(store, path).votes == 60
        assert list(store.votes.broken()) == []
        assert import_battles(store, path).votes == 0
        stores.append(store)
    for store in stores:
        with closing(driver.connect(str(store.path))) as conn:
            assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
            assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with pytest.raises(driver.IntegrityError):  # references are looked at again
            store.votes.cast_all([Vote("b", "no prompt", "no", "answer", Winner.TIE, "v")])
    one, other = stores
    assert indexes(one) == indexes(other)
    assert one.evidence.votes() == other.evidence.votes()
    assert [*one.votes.where()] == [*other.votes.where()]
    assert [*one.answers.where()] == [*other.answers.where()]
    assert [*one.prompts.where()] == [*other.prompts.where()]


def test_votes_are_known_by_what_they_say(store: Store, tmp_path: Path) -> None:
    """A battle's key is made of the answers, the vote, the voter and how often it was said."""
    text = "model_a,model_b,winner,voter,prompt\n" + "x,y,model_a,ann,1\n" * 2
    import_battles(store, write(tmp_path, text))
    one, two = store.votes.where()
    for times, vote in ((1, one), (2, two)):
        same = (vote.first, vote.second, "model_a", "ann")
        assert vote.battle == content_key("imported", *same, times)
    assert {a.key for a in store.answers.where()} == {one.first, one.second}


def test_the_last_row_says_what_an_answer_is(store: Store, tmp_path: Path) -> None:
    text = (
        "prompt,question,model_a,model_b,winner,voter,answer_a,answer_b,category\n"
        "1,What?,x,y,tie,ann,early,only,first\n"
        "1,What?,y,x,tie,bob,only,late,second\n"
    )
    import_battles(store, write(tmp_path, text))
    said = {answer.model: answer.turns for answer in store.answers.where()}
    assert said == {"x": ("late",), "y": ("only",)}
    assert [prompt.category for prompt in store.prompts.where()] == ["second"]


@pytest.mark.parametrize("where", ["_votes", "_add_verdicts"])
def test_an_import_that_is_cut_off_stores_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("arena.store.large.bulk.FEW", 1)
    before = indexes(store)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"arena.interchange.imports.{where}", cut)
        with pytest.raises(KeyboardInterrupt):
            import_battles(store, write(tmp_path))
    assert not any(store.counts().values())
    assert indexes(store) == before
    assert import_battles(store, write(tmp_path)).votes == 3


def test_thinking_that_another_tool_kept_in_an_answer_is_stored_beside_it(
    store: Store, tmp_path: Path
) -> None:
    rows = (
        "model_a,model_b,winner,question,answer_a,answer_b,voter\n"
        "x,y,model_a,Two and two?,<think>Is it 5?</think>Four.,Five.,ann\n"
    )
    import_battles(store, write(tmp_path, rows))
    told = {answer.model: (answer.turns, answer.thinking) for answer in store.answers.where()}
    assert told == {"x": (("Four.",), ("Is it 5?",)), "y": (("Five.",), ())}


def test_a_name_spelled_in_two_ways_that_look_the_same_is_one_model(
    store: Store, tmp_path: Path
) -> None:
    rows = "model_a,model_b,winner,voter\nmod\u00e9,y,model_a,ann\nmode\u0301,y,model_b,bob\n"
    assert import_battles(store, write(tmp_path, rows)).models == 2


@pytest.mark.parametrize(("name", "absent"), [("b.jsonl", 0), ("b.parquet", 0), ("b.csv", 1)])
def test_an_answer_that_is_empty_is_none_that_is_missing(
    store: Store, tmp_path: Path, name: str, absent: int
) -> None:
    """In CSV an empty cell may be either, and stands for a text that is not told."""
    row = {"model_a": "a", "model_b": "b", "winner": "model_a", "prompt": "1", "voter": "v"}
    frame = pd.DataFrame([row | {"question": "Why?", "answer_a": "So.", "answer_b": ""}])
    path = tmp_path / name
    if name == "b.jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "b.parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    assert import_battles(store, path).absent == absent
    assert [one.turns for one in store.answers.where(model="b")] == [("",)]
