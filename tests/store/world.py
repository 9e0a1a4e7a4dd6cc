"""A store with a little of everything in it, drawn by chance, and what was put in."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from arena.records import (
    ABSENT,
    NOBODY,
    RULE,
    Answer,
    BackendKind,
    Decoding,
    Grade,
    Judge,
    Model,
    Outcome,
    Preference,
    Prompt,
    Score,
    Showing,
    Verdict,
    Vote,
    Winner,
    Withdrawal,
    content_key,
)
from arena.store import Store
from arena.store.archive import Archivable


@dataclass
class World:
    """What was stored, in the order in which it was.

    withdrawn: battles and showings that were taken back. aside: models and judges put aside.
    """

    store: Store
    dice: random.Random
    prompts: dict[str, Prompt] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    votes: list[Vote] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    aside: set[str] = field(default_factory=set)

    def pairs(self) -> Iterator[tuple[Prompt, Answer, Answer]]:
        """Ordered pairs of answers of two models to one prompt."""
        for prompt in self.prompts.values():
            here = [a for a in self.answers.values() if a.prompt_key == prompt.key]
            for first in here:
                for second in here:
                    if first.model != second.model:
                        yield prompt, first, second

    def counts(self, answer: str) -> bool:
        """Whether an answer's model is not put aside."""
        return self.answers[answer].model not in self.aside


def make_world(store: Store, seed: int) -> World:
    """Four models, five prompts, and what people, judges and benchmarks say of them."""
    world = World(store, random.Random(seed))
    _answers(world)
    _votes(world)
    _judgements(world)
    _grades(world)
    _outcomes(world)
    return world


def put_aside(world: World, models: int, judges: int) -> None:
    """Archive some models and judges."""
    for kind, names, count in (
        (Archivable.MODEL, [m.name for m in world.store.models()], models),
        (Archivable.JUDGE, sorted({v.judge for v in world.verdicts}), judges),
    ):
        for name in world.dice.sample(names, count):
            world.store.archive.put(kind, name)
            world.aside.add(name)


def _answers(world: World) -> None:
    dice = world.dice
    models = [
        Model(name, BackendKind.FAKE, "echo", decoding=Decoding(seed=k))
        for k, name in enumerate(("ada", "bob", "cyd", "dan"))
    ]
    prompts = [
        Prompt(f"p{k}", (f"Question {k}?",), dice.choice(["maths", "writing"]), dice.choice("ez"))
        for k in range(5)
    ]
    world.store.put_prompts(prompts)
    world.prompts = {prompt.key: prompt for prompt in prompts}
    for model in models:
        world.store.put_model(model)
        for prompt in prompts:
            if dice.random() < 0.85:
                absent = dice.random() < 0.1
                text = "" if absent else "word " * dice.randint(1, 9)
                finish = ABSENT if absent else "stop"
                answer = Answer(model.name, model.key, prompt.key, (text,), (finish,))
                world.answers[answer.key] = answer
    world.store.answers.add(world.answers.values())


def _votes(world: World) -> None:
    dice = world.dice
    pairs = list(world.pairs())
    for k in range(40):
        prompt, first, second = dice.choice(pairs)
        winner, voter = dice.choice(list(Winner)), f"v{dice.randint(1, 5)}"
        chance = dice.choice([None, 0.25])
        vote = Vote(
            f"b{k}", prompt.key, first.key, second.key, winner, voter, "en", chance, 1.0 * k
        )
        world.store.votes.cast(vote)
        world.votes.append(vote)
        if dice.random() < 0.2:
            assert world.store.withdrawals.take_back(Withdrawal(vote.battle, voter), 60)
            world.withdrawn.add(vote.battle)


def _judgements(world: World) -> None:
    dice = world.dice
    pairs = list(world.pairs())
    judges = [Judge(f"key-{name}-{k}", name, "{}") for name in ("j", "k") for k in (1, 2)]
    world.store.judges.add(judges)
    for k in range(80):
        prompt, first, second = dice.choice(pairs)
        judge = dice.choice(judges)
        preference = dice.choice(list(Preference))
        verdict = Verdict(
            content_key("verdict", seed_text(k)), judge.name, judge.key, prompt.key, first.key,
            second.key, preference, reason="odd" if preference is Preference.UNPARSED else "",
            turn=0, sample=dice.randint(0, 1),
        )  # fmt: skip
        world.verdicts.append(verdict)
    world.store.verdicts.add(world.verdicts)
    for k in range(40):
        answer = dice.choice(list(world.answers.values()))
        judge = dice.choice(judges)
        value = dice.choice([None, 1.0, 5.0, 9.0])
        score = Score(
            content_key("score", seed_text(k)), judge.name, judge.key, answer.prompt_key,
            answer.key, value, reason="" if value else "odd",
        )  # fmt: skip
        world.scores.append(score)
    world.store.scores.add(world.scores)


def _grades(world: World) -> None:
    dice = world.dice
    for k in range(25):
        answer = dice.choice(list(world.answers.values()))
        voter = f"v{dice.randint(1, 3)}"
        showing = Showing(f"s{k}", answer.prompt_key, answer.key, voter)
        world.store.showings.add([showing])
        grade = Grade(showing.key, answer.prompt_key, answer.key, voter, dice.randint(1, 5))
        world.store.grades.add([grade])
        world.grades.append(grade)
        if dice.random() < 0.2:
            assert world.store.withdrawals.take_back(Withdrawal(grade.key, voter), 60)
            world.withdrawn.add(grade.key)


def _outcomes(world: World) -> None:
    dice = world.dice
    keys = {model.name: model.key for model in world.store.models()}
    for k in range(60):
        model, item = dice.choice(list(keys)), str(dice.randint(1, 4))
        variant, marker = dice.choice(["", "gen"]), dice.choice([RULE, NOBODY, "judge j"])
        outcome = Outcome(
            model, keys[model], "exam", "1", item, "acc", float(dice.random() < 0.5),
            variant=variant, marker=marker, request=f"r{k % 3}",
        )  # fmt: skip
        world.outcomes.append(outcome)
        world.store.outcomes.put([outcome])


def seed_text(k: int) -> str:
    """A text that is a row's own."""
    return f"row {k}"
