"""Ways of asking, on a set so small that every number can be had by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arena.backends import Request, TextRequest
from arena.benchmarks import Asking, ItemMode, bench
from arena.benchmarks.items.asking import ItemTemplate, read_template, variants
from arena.benchmarks.items.reading import Item
from arena.benchmarks.items.tasks import asked_otherwise, item_benchmark
from arena.benchmarks.prompt_sensitivity import prompt_effects, prompt_reports
from arena.benchmarks.runs import Result, run_benchmark
from arena.benchmarks.scores import mark
from arena.config import BenchmarkRun
from arena.generation.batch import Control
from arena.ratings import wilson
from arena.records import NOBODY, Decoding, Model
from arena.records.errors import InputError
from arena.store import Store

pytest.importorskip("lm_eval", reason="lm-eval is not installed: extra `bench`")

ITEMS = [
    Item(
        name,
        f"Question {name}?",
        (f"{name}-right",),
        tuple(f"{name}-{text}" for text in ("wrong", "right", "false")),
    )
    for name in ("one", "two", "three")
]
OPEN = [Item(str(k), f"What is {k} and {k}?", (str(2 * k),)) for k in range(1, 5)]


def place_of_right(text: str) -> str:
    """The letter at which the last question in a prompt has its right option."""
    return [line[0] for line in text.splitlines() if line.endswith("right")][-1]


def picks(text: str) -> str:
    """Knows `one`; of `two` takes the first option; is always wrong on `three`."""
    right = place_of_right(text)
    if "Question one?" in text:
        return right
    return "A" if "Question two?" in text else {"A": "B", "B": "C", "C": "A"}[right]


def values(measured: Any) -> dict[str, float]:
    return {outcome.item: outcome.value for outcome in measured.outcomes}


@pytest.mark.parametrize(
    ("way", "told"),
    [(ItemMode.GEN, "the letter in"), (ItemMode.PPL, "likeliest of the options' letters")],
)
def test_a_rotated_item_is_right_only_if_all_its_rotations_are(
    store: Store, scripted: Callable[..., Any], way: ItemMode, told: str
) -> None:
    def says(request: Request) -> str:
        return picks(request.turns[-1])

    def likes(request: TextRequest) -> float:
        return -0.1 if request.text.strip() == picks(request.context) else -2.0

    model, backend = scripted(say=says, likes=likes)
    benchmark = item_benchmark("set", "1", ITEMS, Asking(way=way, circular=True))
    assert told in benchmark.about
    measured = bench(store, model, benchmark)
    assert values(measured) == {"one": 1.0, "two": 0.0, "three": 0.0}
    assert len(backend.asked) == 9 * (1 if way is ItemMode.GEN else 3)
    found = mark(list(values(measured).values()))
    assert (found.mean, found.stderr) == pytest.approx((1 / 3, 1 / 3))
    share = wilson(1, 3)
    assert (found.low, found.high) == pytest.approx((share.ci_low, share.ci_high))


def test_a_limit_counts_items_and_not_rotations(store: Store, scripted: Callable[..., Any]) -> None:
    model, backend = scripted(say=lambda request: picks(request.turns[-1]))
    asking = Asking(way=ItemMode.GEN, circular=True)
    measured = bench(store, model, item_benchmark("set", "1", ITEMS, asking), limit=2)
    assert values(measured) == {"one": 1.0, "two": 0.0}
    assert len(backend.asked) == 6
    bench(store, model, item_benchmark("set", "1", ITEMS, asking))
    assert len(backend.asked) == 9


def test_likelihoods_are_of_the_options_texts_where_the_prompt_does_not_show_them(
    store: Store, scripted: Callable[..., Any]
) -> None:
    def likes(request: TextRequest) -> float:
        return -0.1 if request.text.endswith("right") else -2.0

    model, backend = scripted(likes=likes)
    measured = bench(store, model, item_benchmark("set", "1", ITEMS, Asking()))
    assert {o.metric for o in measured.outcomes} == {"acc", "acc_norm"}
    assert all(outcome.value == 1.0 for outcome in measured.outcomes)
    assert backend.asked[0] == TextRequest(" one-wrong", "Question: Question one?\nAnswer:")


@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize("way", [ItemMode.GEN, ItemMode.PPL])
def test_examples_are_solved_and_never_the_item_itself(
    store: Store, scripted: Callable[..., Any], circular: bool, way: ItemMode
) -> None:
    items = [
        replace(item, name=f"{k}", question=f"Question <{k}>?") for k, item in enumerate(ITEMS * 3)
    ]
    model, backend = scripted(say=lambda _: "A")
    asking = Asking(way=way, few_shot=4, circular=circular)
    bench(store, model, item_benchmark("set", "1", items, asking))
    given = set()
    for request in backend.asked:
        text = request.context if isinstance(request, TextRequest) else request.turns[-1]
        *examples, asked = text.split("\n\n")
        questions = [part[part.index("<") : part.index(">")] for part in examples]
        own = asked[asked.index("<") : asked.index(">")]
        assert len(set(questions)) == 4
        assert own not in questions
        given.add((own, tuple(questions)))
        for example in examples:
            letter, shown = example.split()[-1], example.splitlines()
            assert letter == place_of_right(example) if "A. " in example else "-right" in shown[-1]
    assert len(given) == 9  # each item has the same examples however it is rotated


def test_examples_may_be_turns_of_a_conversation(
    store: Store, scripted: Callable[..., Any]
) -> None:
    model, backend = scripted(say=lambda _: "2")
    bench(store, model, item_benchmark("set", "1", OPEN, Asking(few_shot=1, multiturn=True)))
    (request, *_) = backend.asked
    assert [message.role for message in request.before] == ["user", "assistant"]
    known = {item.question: item.answers[0] for item in OPEN}
    assert known[request.before[0].content.splitlines()[0]] == request.before[1].content
    assert request.before[0].content != request.turns[0]


RIGHT = {  # by how the prompt looks: the questions that the scripted model gets right
    "zero-shot": {1, 2},
    "2-shot": {1, 2, 3},
    "cot": {1, 2, 3, 4},
    "mine": {2},
}


def looks(text: str) -> str:
    if "Think step by step" in text:
        return "cot"
    if text.startswith("Mine:"):
        return "mine"
    return "2-shot" if text.count("What is") == 3 else "zero-shot"


def answers(request: Request) -> str:
    text = request.turns[-1]
    number = int(text.rsplit("What is ", 1)[1].split()[0])
    return f"It is {2 * number if number in RIGHT[looks(text)] else 99}."


def run(store: Store, model: Model, **wanted: Any) -> list[Result]:
    return list(run_benchmark(store, [model], BenchmarkRun(**wanted), lambda _: Control()))


@pytest.fixture
def sums(tmp_path: Path) -> str:
    path = tmp_path / "sums.csv"
    rows = [f"{item.question},{item.answers[0]}" for item in OPEN]
    path.write_text("\n".join(["question,answer", *rows]))
    return str(path)


def test_the_same_items_under_several_prompts(
    store: Store, scripted: Callable[..., Any], sums: str, tmp_path: Path
) -> None:
    model, _ = scripted(say=answers)
    (tmp_path / "mine.txt").write_text("Mine: {{ question }}")
    names = ["zero-shot", "few-shot", "cot", str(tmp_path / "mine.txt")]
    results = run(store, model, data=sums, variants=names, few_shot=2)
    (report,) = prompt_reports([value for result in results for value in result.values])
    assert (report.benchmark, report.model) == ("sums", "m")
    assert [(e.variant, e.score.mean) for e in report.effects] == [
        ("zero-shot", 0.5),
        ("2-shot", 0.75),
        ("cot", 1.0),
        ("mine", 0.25),
    ]
    # Two of four to three of four: Wilson's intervals are 0.15004 to 0.84996 and 0.30064 to
    # 0.95441. Both right 2, neither 1, few-shot alone 1: 4 × 2 - 2 × 3 = 2, which is no more than
    # half of the items, so that Newcombe takes no correlation.
    few = report.effects[1]
    assert few.difference == 0.25
    low = ((0.75 - 0.30064) ** 2 + (0.84996 - 0.5) ** 2) ** 0.5
    high = ((0.95441 - 0.75) ** 2 + (0.5 - 0.15004) ** 2) ** 0.5
    assert (few.low, few.high) == pytest.approx((0.25 - low, 0.25 + high), abs=2e-5)
    # Sums of squares: 15/4 in all, 5/4 by items, 5/4 by prompts, so 5/4 is left over 9 degrees
    # of freedom. Mean squares 5/12 of prompts and 5/36 of noise: (5/12 - 5/36) / 4 items = 5/72.
    assert report.spread.range == 0.75
    assert report.spread.deviation == pytest.approx((5 / 72) ** 0.5)
    assert report.spread.items == 4


def test_the_spread_is_without_the_noise_of_items() -> None:
    """By hand: grand mean 5/8, mean squares 9/8 of the prompts and 1/8 left over."""
    ones = dict.fromkeys("wxyz", 1.0)
    effects, spread = prompt_effects({"a": ones | dict.fromkeys("wxy", 0.0), "b": ones})
    assert spread.deviation == pytest.approx(((9 / 8 - 1 / 8) / 4) ** 0.5)
    assert (spread.range, spread.items) == (0.75, 4)
    assert (effects[0].low, effects[0].difference) == (None, 0.0)
    assert effects[1].difference == 0.75
    # Of one in four, Wilson's interval ends at 0.69936; of four in four it begins at 0.51010.
    # All four were right in "b", so that nothing tells of a correlation.
    low = ((1 - 0.51010) ** 2 + (0.69936 - 0.25) ** 2) ** 0.5
    assert effects[1].low == pytest.approx(0.75 - low, abs=1e-4)
    assert effects[1].high == pytest.approx(0.75 + (0.25 - 0.04559), abs=1e-4)


def test_prompts_no_further_apart_than_chance_have_no_spread() -> None:
    a, b, c = ({"w": 1.0, "x": 0.0}, {"w": 0.0, "x": 1.0}, {"w": 1.0, "x": 0.0})
    _, spread = prompt_effects({"a": a, "b": b, "c": c})
    assert (spread.range, spread.deviation) == (0.0, 0.0)


def test_prompts_are_compared_over_the_items_they_share() -> None:
    effects, spread = prompt_effects({"a": {"x": 1.0, "y": 0.0}, "b": {"x": 1.0, "z": 0.0}})
    assert [effect.score.mean for effect in effects] == [1.0, 1.0]
    assert spread.items == 1
    assert (effects[1].low, effects[1].high) == pytest.approx((-0.7935, 0.7935), abs=1e-4)
    with pytest.raises(InputError, match="no item in common"):
        prompt_effects({"a": {"x": 1.0}, "b": {"y": 1.0}})


def test_every_way_of_asking_has_a_name_of_its_own() -> None:
    """Else what was asked in one way would stand for what was asked in another."""
    bases = [Asking(), Asking(circular=True), Asking(way=ItemMode.PPL), Asking(metric="f1")]
    bases += [Asking(chat=False), Asking(multiturn=True)]
    names = [a.variant for base in bases for a in variants(["zero-shot", "few-shot"], base)]
    assert len(set(names)) == len(names)
    assert names[:4] == ["zero-shot", "5-shot", "zero-shot circular", "5-shot circular"]
    plain = [base.variant for base in bases] + [Asking(few_shot=0).variant]
    assert plain == ["", "circular", "ppl", "f1", "no chat", "multiturn", "0-shot"]


def test_a_set_with_options_can_be_asked_to_write_and_the_reply_be_unreadable(
    store: Store, scripted: Callable[..., Any]
) -> None:
    model, _ = scripted(say=lambda _: "I would rather not say.")
    benchmark = asked_otherwise(
        item_benchmark("set", "1", ITEMS, Asking()), Asking(way=ItemMode.GEN)
    )
    measured = bench(store, model, benchmark)
    assert {(o.value, o.marker, o.metric) for o in measured.outcomes} == {(0.0, NOBODY, "acc")}


def test_a_template_of_ones_own_decides_what_is_read(tmp_path: Path) -> None:
    item = Item("x", "问题？", ("b",), ("a", "b"), "zh")
    path = tmp_path / "mine.txt"
    path.write_text("\ufeff[{{ language }}] {{ question }}{% if B %}\n{{A}}|{{B}}{% endif %}\n")
    template = read_template(path)
    assert template.render(item) == "[zh] 问题？\na|b"
    assert template.shows_options
    assert not ItemTemplate("t", "{{ question }}").shows_options
    shown = item_benchmark("set", "1", [item], Asking(way=ItemMode.PPL, template=template))
    assert "letters" in shown.about


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ question }} {{ choices }}", "mine: unknown variable 'choices'; allowed are question, "
         "options, language, and A, B, …"),
        ("{{ options }}", "mine: a template must use 'question'"),
        ("one\n{{ question", "mine:2: unexpected end of template, expected 'end of print "
         "statement'."),
        ("{{ question | loud }}", "mine:1: No filter named 'loud'."),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_template(path)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "{{ question }} {{ D }}",
        "{{ question / 2 }}",
        "{{ question.__class__.__mro__ }}",
        "{{ question }}{% for i in range(10 ** 9) %}x{% endfor %}",
        "{{ question | int // 0 }}",
    ],
)
def test_a_template_that_fails_on_an_item_names_it(text: str) -> None:
    with pytest.raises(InputError, match="mine: item one: "):
        ItemTemplate("mine", text).check().render(ITEMS[0])


def test_files_that_are_no_template(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_template(tmp_path / "absent.txt")
    (tmp_path / "gb.txt").write_bytes("{{ question }}二".encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8; save it as UTF-8"):
        read_template(tmp_path / "gb.txt")


@pytest.mark.parametrize(
    ("asking", "items", "message"),
    [
        (Asking(way=ItemMode.PPL), OPEN, "--mode ppl compares options, and its items have none"),
        (Asking(circular=True), OPEN, "--circular rotates options, and its items have none"),
        (Asking(metric="f1"), ITEMS, "--metric is for open answers"),
        (Asking(few_shot=4), OPEN, "--few-shot 4, and it has 4 items"),
        (Asking(), [*OPEN, *ITEMS], "item one has options and others have none"),
    ],
)
def test_what_a_set_does_not_bear_is_said(asking: Asking, items: list[Item], message: str) -> None:
    with pytest.raises(InputError, match=message):
        item_benchmark("set", "1", items, asking.checked())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"metric": "bleu"}, "--metric 'bleu'; allowed are number, contains, exact, f1, recall"),
        ({"variants": ["few"]}, "--variants 'few'; allowed are zero-shot, few-shot, cot and FILE"),
        ({"variants": ["cot", "cot"]}, "--variants cot,cot: one of them is there twice"),
        ({"variants": ["cot"], "mode": "ppl"}, "writes no thoughts: --mode gen"),
        ({"variants": ["cot"], "template": "mine.txt"}, "mine.txt: no such file"),
        ({"metric": "judged"}, "name one with --judge"),
    ],
)
def test_what_does_not_go_together_is_said(
    store: Store, scripted: Callable[..., Any], sums: str, wanted: dict[str, Any], message: str
) -> None:
    model, backend = scripted()
    with pytest.raises(InputError, match=message):
        run(store, model, data=sums, **wanted)
    assert backend.asked == []


def test_a_run_says_why_replies_have_another_room_than_the_model(
    store: Store, scripted: Callable[..., Any], sums: str
) -> None:
    """Only where somebody chose less: with the usual setting nothing is to be told."""
    model, _ = scripted(say=answers)
    for tokens, is_told in ((24, True), (2000, False), (Decoding().max_tokens, False)):
        chosen = replace(
            model, name=f"m{tokens}", decoding=replace(model.decoding, max_tokens=tokens)
        )
        (result,) = run(store, chosen, data=sums, mode="gen")
        said = "max_tokens: 24 of m24 holds for answers to prompts"
        assert any(said in note for note in result.measured.notes) == is_told
