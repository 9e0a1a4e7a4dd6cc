"""Label Studio: tasks with two answers, what people chose, and what judges predict.

Shapes: the task format and the Pairwise tag of Label Studio (https://labelstud.io/guide/task_format,
https://labelstud.io/tags/pairwise). Votes are annotations and verdicts are predictions. A tie is a
choice beside the pair, since Pairwise has none; `label_config.xml`, which is written beside the
tasks, has both. Models are in the task's data, where annotators do not see them.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from arena.interchange.exchange.entries import Compared, Entries, Entry, Passed
from arena.interchange.exchange.grouped import PairSaid, PairShape, cell_of, pairs
from arena.interchange.exchange.outgoing import Written, folder, write_rows
from arena.interchange.exchange.reading import Fields, Hints, Peek, entries_of, files_in
from arena.interchange.exchange.source import Outgoing
from arena.records import Winner
from arena.records.errors import said as shown

SHAPE = PairShape(
    kind="task",
    texts="data",
    about="data",
    questions=("prompt", "question", "instruction"),
    answers=(
        ("answer1", "answer2"), ("answer_1", "answer_2"), ("answer_a", "answer_b"),
        ("response1", "response2"), ("response_1", "response_2"), ("response_a", "response_b"),
        ("text1", "text2"),
    ),
    models=(("model1", "model2"), ("model_1", "model_2"), ("model_a", "model_b")),
)  # fmt: skip
SELECTED = {"left": Winner.MODEL_A, "right": Winner.MODEL_B}
CHOICES = {
    "tie": Winner.TIE, "equal": Winner.TIE, "both good": Winner.TIE, "both bad": Winner.BOTH_BAD,
    "left": Winner.MODEL_A, "right": Winner.MODEL_B,
}  # fmt: skip
CONFIG = """<View>
  <Header value="Which answer is better?"/>
  <Text name="prompt" value="$prompt"/>
  <Pairwise name="better" toName="answer1,answer2"/>
  <View style="display: flex; gap: 1em">
    <Text name="answer1" value="$answer1"/>
    <Text name="answer2" value="$answer2"/>
  </View>
  <Choices name="otherwise" toName="prompt" showInline="true">
    <Choice value="Tie"/>
    <Choice value="Both bad"/>
  </Choices>
</View>
"""
TASKS = "tasks.json"


def recognise(peek: Peek) -> str:
    """By data and what was annotated."""
    found = [*peek.having("data", "annotations"), *peek.having("data", "predictions")]
    return "tasks" if any(isinstance(peek.first(file)["data"], dict) for file in found) else ""


def read(path: Path, hints: Hints) -> Entries:
    """What was said of each task."""
    for file in files_in(path):
        yield from entries_of(file, partial(_entries, file, hints))


def _entries(file: Path, hints: Hints, row: Fields) -> Iterator[Entry]:
    data = row.part("data")
    _, prompt, first, second = SHAPE.read(row, file)
    voters = data.part("voters") if "voters" in data else Fields({})
    said = 0
    for one in row.parts("annotations") if row.row.get("annotations") else []:
        if one.row.get("was_cancelled"):
            continue
        winner = _winner(one)
        who = _annotator(one)
        by = voters.label(who, f"annotator {who}")
        seconds = one.number("lead_time")
        yield Compared(prompt, first, second, winner, by, is_vote=True, seconds=seconds)
        said += 1
    for one in row.parts("predictions") if row.row.get("predictions") else []:
        judge = hints.judge or one.label("model_version")
        told = None if _is_unparsed(one) else _winner(one)
        yield Compared(prompt, first, second, told, judge, is_vote=False)
        said += 1
    if not said:
        yield Passed("tasks that nobody has annotated")


def _annotator(one: Fields) -> str:
    """Who annotated: an id. Names and addresses stay in Label Studio."""
    who = one.need("completed_by")
    return Fields(who).label("id") if isinstance(who, dict) else one.label("completed_by")


def _winner(one: Fields) -> Winner:
    """What a result says; exactly one pair or choice."""
    results = one.parts("result")
    found = []
    for result in results:
        kind, value = result.text("type"), result.part("value")
        if kind == "pairwise":
            word = value.text("selected")
            if word not in SELECTED:
                raise ValueError(f"selected: {shown(word)}; allowed are {', '.join(SELECTED)}")
            found.append(SELECTED[word])
        elif kind == "choices":
            found += [_choice(word) for word in value.items("choices")]
    if len(set(found)) != 1:
        raise ValueError(f"result: it says {len(set(found))} things of the pair; it must be one")
    return found[0]


def _choice(word: object) -> Winner:
    plain = word.strip().casefold() if isinstance(word, str) else ""
    if plain not in CHOICES:
        raise ValueError(f"choices: {shown(word)}; allowed are {', '.join(CHOICES)}")
    return CHOICES[plain]


def _is_unparsed(one: Fields) -> bool:
    return one.row.get("result") == []


def write(source: Outgoing, place: Path) -> Written:
    """A folder of tasks.json and label_config.xml."""
    written = Written(place)
    with folder(place) as partial_folder:
        rows = _rows(source, written)
        write_rows(partial_folder / TASKS, rows, (), (".json",))
        (partial_folder / "label_config.xml").write_text(CONFIG, encoding="utf-8")
    return written


def _rows(source: Outgoing, written: Written) -> Iterator[dict[str, Any]]:
    for pair in pairs(source, written):
        for said in pair.by_order():
            written.counts["tasks"] += 1
            yield _task_row(written.counts["tasks"], pair, said)


def _task_row(number: int, pair: PairSaid, said: list[Compared]) -> dict[str, Any]:
    """A task for one order of a pair."""
    first, second = said[0].first, said[0].second
    votes = [one for one in said if one.is_vote]
    voters = {str(k): one.by for k, one in enumerate(votes, start=1)}
    return {
        "id": number,
        "data": {
            "prompt": cell_of(pair.prompt.turns),
            "answer1": cell_of(first.turns or ()),
            "answer2": cell_of(second.turns or ()),
            "model1": first.model,
            "model2": second.model,
            "prompt_id": pair.prompt.name,
            "category": pair.prompt.category,
            "language": pair.prompt.language,
            "voters": voters,
        },
        "annotations": [
            {"id": k, "completed_by": k, "was_cancelled": False, "lead_time": one.seconds,
             "result": _result(one)}
            for k, one in enumerate(votes, start=1)
        ],
        "predictions": [
            {"model_version": one.by, "result": _result(one)} for one in said if not one.is_vote
        ],
    }  # fmt: skip


def _result(one: Compared) -> list[dict[str, Any]]:
    if one.winner is None:
        return []
    if one.winner in (Winner.TIE, Winner.BOTH_BAD):
        word = "Tie" if one.winner is Winner.TIE else "Both bad"
        value: dict[str, Any] = {"choices": [word]}
        return [{"from_name": "otherwise", "to_name": "prompt", "type": "choices", "value": value}]
    side = "left" if one.winner is Winner.MODEL_A else "right"
    return [
        {"from_name": "better", "to_name": "answer1", "type": "pairwise",
         "value": {"selected": side}}
    ]  # fmt: skip
