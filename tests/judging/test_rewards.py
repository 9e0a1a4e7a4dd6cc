"""Reward models as judges: from a card to a ranking, and to a report card."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from arena.backends.local.weights import load
from arena.benchmarks.judged import marking_card
from arena.cli.main import app
from arena.config import parse_model
from arena.generation.answering import generate
from arena.generation.batch import Control
from arena.judging import JudgeCard, Wanted, judge, load_card, plan
from arena.judging.cards.check import check
from arena.judging.report_card.labelled import read_labelled
from arena.leaderboard.board import Policy
from arena.leaderboard.evidence.gathering import gather
from arena.leaderboard.evidence.scored import scale_of
from arena.leaderboard.judge_audit import (
    ask_canaries,
    ask_labelled,
    audit_judge,
    audit_labelled,
    stored_canaries,
)
from arena.leaderboard.ranking import leaderboard
from arena.records import Answer, Evidence, Judge, Mode, Prompt, Score, Vote, Winner
from arena.records.errors import GateError, InputError, UnavailableError
from arena.store import Store
from tests.backends.local import tiny

REWARD = json.dumps({"reading": "reward"})
JUDGED = Policy(evidence=Evidence.JUDGE, min_comparisons=1)


def write(home: Path, text: str = "", model: str = "fake:longer") -> JudgeCard:
    folder = home / "judges"
    folder.mkdir(exist_ok=True)
    (folder / "r.yaml").write_text(f"model: {model}\nreading: reward\n{text}")
    return load_card("r", home)


@pytest.mark.parametrize(
    "line",
    [
        "pairwise: {template: p.md}",
        "score: {template: s.md}",
        "rank: {template: r.md}",
        "structured: true",
        "orders: one",
        "reference: needed",
        "cascade: {to: strong-api}",
    ],
)
def test_what_a_reward_model_has_no_use_for_is_refused(tmp_path: Path, line: str) -> None:
    name = line.split(":")[0]
    with pytest.raises(InputError, match=f"reward reading has no `{name}:`"):
        write(tmp_path, line)


def test_it_runs_here_and_scores(answered: Store, prompts: list[Prompt]) -> None:
    with pytest.raises(InputError, match=r"must be hf:ORG/NAME or a folder, not openai:m"):
        write(answered.home, model="{use: 'openai:m', base_url: 'http://localhost:1/v1'}")
    card = write(answered.home)
    with pytest.raises(InputError, match="has no mode pairwise; it has score"):
        plan(answered, card, prompts)
    with pytest.raises(InputError, match="says the same each time"):
        plan(answered, card, prompts, Mode.SCORE, wanted=Wanted(samples=2))
    with pytest.raises(InputError, match="cannot say whether a reply is right"):
        marking_card("r", answered.home)
    assert {(sample.mode, sample.unshown) for sample in check(card)} == {(Mode.SCORE, "")}


def test_each_answer_is_a_row_and_the_conversation_is_whole(
    answered: Store, prompts: list[Prompt]
) -> None:
    card = write(answered.home)
    planned = plan(answered, card, prompts, Mode.SCORE)
    two = next(task for task in planned.tasks if len(task.prompt.turns) == 2)
    asked, said = two.prompt.turns, two.answers[0].turns
    assert json.loads(two.text) == [
        [["user", asked[0]], ["assistant", said[0]], ["user", asked[1]], ["assistant", said[1]]]
    ]
    (step,) = planned.run()
    assert (step.done, planned.missing()) == (9, 0)
    rows = {score.answer: score for score in answered.scores.where()}
    answers = {answer.key: answer for answer in answered.answers.where()}
    assert {rows[key].value for key in answers} == {
        float(len(answer.turns[-1])) for answer in answers.values()
    }
    assert {row.usage.completion_tokens for row in rows.values()} == {0}
    assert [one.stored for one in judge(answered, card, prompts, Mode.SCORE)] == [0]


def test_long_answers_are_cut_and_said_to_be(answered: Store, prompts: list[Prompt]) -> None:
    whole = write(answered.home, model="{use: 'fake:longer', context_length: 4000}")
    assert not any(task.cut for task in plan(answered, whole, prompts, Mode.SCORE).tasks)
    long = Prompt("long", ("word " * 300,))
    generate(answered, parse_model("long2=fake:echo"), [long])
    card = write(answered.home, model="{use: 'fake:longer', context_length: 500}")
    judge(answered, card, [long], Mode.SCORE)
    (row,) = answered.scores.where(prompt_key=long.key)
    assert row.truncated
    assert row.value is not None
    assert row.value < len("word " * 300)


# Of models 0, 1 and 2 on 40 prompts: what each is worth, and noise.
DICE = random.Random(1)
REWARDS = [[model * 0.7 + DICE.gauss(0, 1) for model in range(3)] for _ in range(40)]


def fill(
    store: Store,
    names: tuple[str, ...],
    factor: float = 1.0,
    more: float = 0.0,
    *,
    mixed: bool = False,
) -> Store:
    """The same rewards for models of these names, on another scale, or in another order."""
    prompts = [Prompt(f"q{i}", (f"What is {i}?",)) for i in range(len(REWARDS))]
    store.judges.add([Judge("r-key", "r", REWARD)])
    for name in names:
        generate(store, parse_model(f"{name}=fake:echo"), prompts)
    rows = [
        Score(f"{name}{i}", "r", "r-key", p.key, answer_of(store, name, p).key, value)
        for k, name in enumerate(names)
        for i, p in enumerate(prompts)
        for value in [REWARDS[i][k] * factor + more]
    ]
    store.scores.add(random.Random(3).sample(rows, len(rows)) if mixed else rows)
    return store


def answer_of(store: Store, model: str, prompt: Prompt) -> Answer:
    return next(store.answers.where(model=model, prompt_key=prompt.key))


@pytest.fixture
def new(empty_database: Path, tmp_path: Path) -> Callable[[str], Store]:
    def make(name: str) -> Store:
        path = tmp_path / f"{name}.db"
        path.write_bytes(empty_database.read_bytes())
        return Store(path)

    return make


def rated(store: Store, names: tuple[str, ...]) -> list[float]:
    rows = {row.model: row for row in leaderboard(store, JUDGED).rows}
    return [value for name in names for value in (rows[name].rating, rows[name].ci_low or 0.0)]


def test_neither_the_scale_nor_the_names_are_in_the_ranking(new: Callable[[str], Store]) -> None:
    plain = rated(fill(new("plain"), ("a", "b", "c")), ("a", "b", "c"))
    assert plain[0] < plain[2] < plain[4]
    scaled = rated(fill(new("scaled"), ("a", "b", "c"), 7.0, 3.0), ("a", "b", "c"))
    assert scaled == pytest.approx(plain, abs=1e-6)
    names = ("z", "m", "b")
    assert rated(fill(new("named"), names), names) == pytest.approx(plain, abs=1e-6)
    mixed = fill(new("mixed"), names, mixed=True)
    assert rated(mixed, names) == pytest.approx(plain, abs=1e-6)


def test_a_larger_difference_counts_more_and_equal_rewards_tie(
    new: Callable[[str], Store],
) -> None:
    store = fill(new("plain"), ("a", "b", "c"))
    again = answer_of(store, "a", Prompt("q0", ("What is 0?",)))
    store.scores.add([Score("later", "r", "r-key", again.prompt_key, again.key, REWARDS[0][1])])
    found = gather(store).judges["r"]
    of_first = np.where(found.i < found.j, found.outcome, 1 - found.outcome)
    of_b = (1 - of_first[found.i + found.j == 1]).tolist()  # models a and b are 0 and 1
    by_difference = sorted((row[1] - row[0], k) for k, row in enumerate(REWARDS) if k)
    assert len(of_b) == 40
    # The pair that was scored anew comes last.
    assert of_b[-1] == 0.5
    assert [k - 1 for _, k in by_difference] == sorted(range(39), key=of_b.__getitem__)
    assert 0 < min(of_b) < 0.3 < 0.7 < max(of_b) < 1
    assert set(gather(store).decisions["r"].outcome) == {0.0, 0.5, 1.0}


def test_the_scale_is_that_of_the_noise() -> None:
    """Of logistic noise with a known scale, whatever the models are worth."""
    dice = np.random.default_rng(2)
    pairs = np.arange(12_000) % 3
    worth = np.array([5.0, -80.0, 0.5])[pairs]
    noise = dice.logistic(scale=3.0, size=len(pairs))
    assert scale_of(worth + noise, pairs) == pytest.approx(3.0, rel=0.03)
    assert scale_of(np.array([1.0, 2.0]), np.array([0, 1])) == 0.0
    assert scale_of(np.array([]), np.array([], dtype=int)) == 0.0


def vote(store: Store, best: int) -> None:
    """A person who prefers one of models a and b to the other by the reward, or against it."""
    for i, row in enumerate(REWARDS):
        prompt = Prompt(f"q{i}", (f"What is {i}?",))
        order = sorted(range(2), key=lambda k: row[k] * best)
        first, second = (answer_of(store, "ab"[k], prompt).key for k in order)
        store.votes.cast(Vote(f"v{i}", prompt.key, first, second, Winner.MODEL_B, "ann"))


def test_a_report_card_says_how_it_agrees_and_praises_no_order(
    new: Callable[[str], Store],
) -> None:
    store = fill(new("plain"), ("a", "b", "c"))
    vote(store, 1)
    found = audit_judge(store, "r")
    measures = dict(found.measures())
    assert (found.pairs, found.alone) == (120, True)
    assert (measures["agreement"].value, measures["agreement"].n) == (1.0, 40)
    assert measures["flip_rate"].n == measures["first_slot_rate"].n == 0
    assert measures["brier"].n == 40
    notes = [str(note) for note in leaderboard(store, JUDGED).notes]
    assert sum("r saw each answer alone" in note for note in notes) == 1
    assert not any("one order only" in note for note in notes)


def test_one_that_agrees_with_nobody_makes_no_ranking(new: Callable[[str], Store]) -> None:
    store = fill(new("plain"), ("a", "b", "c"))
    vote(store, -1)
    assert gather(store).reports["r"].agreement.value == 0.0
    with pytest.raises(GateError, match=r"agrees with people in 0\.0%"):
        leaderboard(store, JUDGED)


def test_it_is_put_to_labelled_pairs_and_to_canaries(store: Store, tmp_path: Path) -> None:
    """`fake:longer` has the length of an answer for a reward."""
    row = {"prompt": "Say hi.", "chosen": "Hi there.", "rejected": "No.", "subset": "s", "id": 0}
    rejected = ("No.", "I would rather not.", "Hi where.")
    rows = [row | {"rejected": text, "id": k} for k, text in enumerate(rejected)]
    path = tmp_path / "set.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    card, given = write(tmp_path), read_labelled(path)
    assert ask_labelled(store, card, given, Control()).stored == 3
    assert ask_labelled(store, card, given, Control()).found == 3
    measures = dict(audit_labelled(store, card, given).measures())
    assert measures["decided_agreement"].value == 0.5
    assert measures["tie_rate"].value == pytest.approx(1 / 3)
    assert measures["flip_rate"].n == measures["first_slot_rate"].n == 0
    ask_canaries(store, card, Control())
    report = stored_canaries(store, card)
    assert report is not None
    assert report.won["50,000 characters"].value == 1.0
    assert report.won["empty"].value == 0.0


def test_a_reward_model_judges_from_the_command_line(
    answered: Store, prompts: list[Prompt], tmp_path: Path
) -> None:
    """From real weights to a ranking; a row is what transformers says of the conversation."""
    folder = tmp_path / "weights"
    tiny.save_reward(folder, "qwen3")
    write(answered.home, model=str(folder))
    lines = [json.dumps({"id": p.name, "turns": p.turns}) for p in prompts]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def call(*words: str) -> Any:
        done = CliRunner().invoke(app, [*words, "--db", str(answered.path)])
        assert done.exit_code == 0, done.output
        return done

    here = ["--judge", "r", "--mode", "score", "--prompts", str(tmp_path / "mine.jsonl")]
    assert "Nothing was asked" in call("judge", *here, "--dry-run").output
    call("judge", *here)
    tokenizer, model = load(str(folder), None)
    for row in answered.scores.where():
        answer = next(a for a in answered.answers.where() if a.key == row.answer)
        prompt = next(p for p in prompts if p.key == row.prompt_key)
        said = [
            {"role": role, "content": text}
            for turn in zip(prompt.turns, answer.turns, strict=True)
            for role, text in zip(("user", "assistant"), turn, strict=True)
        ]
        ids = tokenizer.apply_chat_template(said, return_tensors="pt", return_dict=False)
        with torch.inference_mode():
            assert row.value == pytest.approx(float(model(input_ids=ids).logits), abs=1e-4)
    assert "long" in call("rank", "--evidence", "judge", "--min-comparisons", "1").output
    assert "saw each answer alone" in call("audit", "--judge", "r").output


def test_a_judge_of_another_reading_is_told_so(
    answered: Store, prompts: list[Prompt], tmp_path: Path
) -> None:
    tiny.save(tmp_path / "writer", template=tiny.CHAT)
    card = write(answered.home, model=str(tmp_path / "writer"))
    with pytest.raises(UnavailableError, match="is no reward model"):
        judge(answered, card, prompts, Mode.SCORE)
    assert not answered.failed(Mode.SCORE)
