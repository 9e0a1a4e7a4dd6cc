"""Benchmarks by name or by file, as lm-eval's tasks; and items put in another way."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from arena.benchmarks.code.code_eval import marking_code
from arena.benchmarks.items.asking import (
    CLOZE,
    LETTERED,
    LETTERS,
    PICK,
    TELL,
    THINK_PICK,
    THINK_TELL,
    Asking,
    ItemMode,
    ItemTemplate,
)
from arena.benchmarks.items.dimensions import dimension_of
from arena.benchmarks.items.reading import Item, file_version, item_of, read_items
from arena.benchmarks.quiet import quiet_harness
from arena.benchmarks.replies.scoring import METRICS, ReplyScore, mark_choice, metric_for
from arena.files.assets import folders
from arena.files.tabular import FORMATS
from arena.records.errors import InputError, UnknownNameError

ROOM, ROOM_TO_THINK = 48, 512
POOL = 1000  # items that examples are drawn from, copied for lm-eval
FOUND = "found"


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A task ready to be run. dimension: the capability it shows. about: it, in a few words."""

    name: str
    version: str
    asking: Asking
    task: Any
    dimension: str = ""
    about: str = "as the task has it"

    @property
    def writes(self) -> bool:
        """Whether the model is asked to write, not only to read."""
        return bool(self.task.OUTPUT_TYPE == "generate_until")

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What it asks; empty where its rows are of no shape that is known."""
        docs = self.task.eval_docs
        if isinstance(docs, Docs):
            return tuple(docs.items)
        found = [item_of(doc, self.name) for doc in docs]
        return tuple(item for item in found if item is not None) if all(found) else ()


def builtin_tasks(home: Path) -> dict[str, Path]:
    """Names to the task files: ours and the user's own beside the database."""
    return {
        path.stem: path
        for folder in reversed(folders("data", home))
        for path in sorted((folder / "items").rglob("*.yaml"))
        if not path.stem.startswith("_")
    }


def find_benchmarks(name: str, home: Path, asking: Asking) -> list[Benchmark]:
    """What a name or a data file stands for; a group of tasks is as many benchmarks.

    Raises UnknownNameError, and InputError for a data file or a task that is malformed, and
    for a way of asking that it does not bear.
    """
    asking.checked()
    if name.lower().removesuffix(".gz").endswith(FORMATS):
        return [own_data(Path(name), asking)]
    try:
        with quiet_harness():
            tasks = _load(name, home)
    except (UnknownNameError, InputError):
        raise
    except Exception as error:  # a task file is somebody's code: whatever it raises is its fault
        raise InputError(f"the task {name} failed: {type(error).__name__}: {error}") from error
    return [_benchmark(task_name, task, asking) for task_name, task in tasks.items()]


def asked_otherwise(benchmark: Benchmark, asking: Asking) -> Benchmark:
    """The same items, asked in another way; raises InputError where they are not known."""
    if not benchmark.items:
        raise InputError(
            f"{benchmark.name} puts its items in words of its own; only items with a question, "
            "options or answers can be asked in another way"
        )
    return item_benchmark(
        benchmark.name, benchmark.version, benchmark.items, asking, benchmark.dimension
    )


def item_benchmark(
    name: str, version: str, items: Sequence[Item], asking: Asking, dimension: str = ""
) -> Benchmark:
    """Items as a task: their template and metric are chosen unless `asking` names them."""
    asking.checked()
    have_choices = [bool(item.choices) for item in items]
    if any(have_choices) and not all(have_choices):
        odd = items[have_choices.index(not have_choices[0])]
        raise InputError(f"{name}: item {odd.name} has options and others have none, or none has")
    is_choice = have_choices[0]
    way = asking.way or (ItemMode.PPL if is_choice and not asking.thinks else ItemMode.GEN)
    if not is_choice and way is ItemMode.PPL:
        raise InputError(f"{name}: --mode ppl compares options, and its items have none")
    if not is_choice and asking.circular:
        raise InputError(f"{name}: --circular rotates options, and its items have none")
    if is_choice and asking.metric:
        raise InputError(f"{name}: --metric is for open answers; options are marked right or wrong")
    if (asking.few_shot or 0) >= len(items):
        raise InputError(f"{name}: --few-shot {asking.few_shot}, and it has {len(items)} items")
    template = asking.template or _template(is_choice, way, asking)
    build = _reading if way is ItemMode.PPL else _writing
    config, about = build(template, items, asking)
    with quiet_harness():
        task = _task(name, version, items, config, asking)
    return Benchmark(name, version, asking, task, dimension, about)


def own_data(path: Path, asking: Asking) -> Benchmark:
    """A data file as a benchmark of its name; its version is the digest of its bytes."""
    items = read_items(path)
    return item_benchmark(path.stem, file_version(path), items, asking, dimension_of(path.stem))


def _benchmark(name: str, task: Any, asking: Asking) -> Benchmark:
    metadata = task.get_config("metadata") or {}
    dimension = metadata.get("dimension") or dimension_of(name)
    version = str(metadata.get("version", task.VERSION))
    if asking.few_shot is not None:
        task.set_config(key="num_fewshot", value=asking.few_shot)
    plain = Benchmark(name, version, asking, task, dimension)
    return plain if asking.is_default else asked_otherwise(plain, asking)


def _template(is_choice: bool, way: ItemMode, asking: Asking) -> ItemTemplate:
    if not is_choice:
        return THINK_TELL if asking.thinks else TELL
    if way is ItemMode.PPL:
        return LETTERED if asking.circular else CLOZE
    return THINK_PICK if asking.thinks else PICK


def _reading(
    template: ItemTemplate, items: Sequence[Item], asking: Asking
) -> tuple[dict[str, Any], str]:
    """Log-likelihoods: of the options' letters where the prompt shows them, else of their texts."""
    shows = template.shows_options
    chinese = items[0].language == "zh"

    def choices(doc: dict[str, Any]) -> list[str]:
        options = doc["choices"]
        return list(LETTERS[: len(options)]) if shows else list(options)

    metrics = ["acc"] if shows else ["acc", "acc_norm"]
    config: dict[str, Any] = {
        "output_type": "multiple_choice",
        "doc_to_text": lambda doc: template.render(item_in(doc)),
        "doc_to_choice": choices,
        "doc_to_target": lambda doc: doc["gold"],
        "target_delimiter": "" if chinese and not shows else " ",
        "metric_list": [_mean(metric) for metric in metrics],
    }
    what = "letters" if shows else "texts"
    return config, f"multiple choice, likeliest of the options' {what}, template {template.name}"


def _writing(
    template: ItemTemplate, items: Sequence[Item], asking: Asking
) -> tuple[dict[str, Any], str]:
    is_choice = bool(items[0].choices)
    metric = asking.metric or metric_for([item.answers[0] for item in items])
    mark = partial(_mark_choice if is_choice else _mark_open, metric=metric)
    room = ROOM_TO_THINK if template.thinks or asking.template else ROOM
    room = max(room, 256) if metric == "f1" and not is_choice else room
    config: dict[str, Any] = {
        "output_type": "generate_until",
        "doc_to_text": lambda doc: template.render(item_in(doc)),
        "doc_to_target": lambda doc: LETTERS[doc["gold"]] if doc["choices"] else doc["answers"][0],
        "process_results": mark,
        "target_delimiter": "\n",
        "generation_kwargs": {
            "until": [] if template.thinks or asking.template else ["\n\n"],
            "max_gen_toks": room,
            "do_sample": False,
        },
        "metric_list": [_mean("acc"), _mean(FOUND)],
    }
    kind = "multiple choice, the letter in" if is_choice else f"open answers, {metric} of"
    return config, f"{kind} what the model writes, template {template.name}"


def _task(
    name: str, version: str, items: Sequence[Item], config: dict[str, Any], asking: Asking
) -> Any:
    from lm_eval.api.task import ConfigurableTask

    from arena.benchmarks.items.few_shot import OtherItems

    docs, few = Docs(items, asking.circular), asking.few_shot or 0
    pool = Docs(items[: max(POOL, few + 1)])
    drawn = {"split": "test", "process_docs": lambda _: list(pool), "sampler": OtherItems}
    return ConfigurableTask(
        config={
            "task": name,
            "custom_dataset": lambda **_: {"test": docs},
            "test_split": "test",
            "fewshot_config": drawn if few else {"samples": []},
            "num_fewshot": few,
            "metadata": {"version": version},
            **config,
        }
    )


class Docs:
    """Items as lm-eval's documents, made when they are asked for; rotated ones one by one."""

    features = dict.fromkeys(("id", "question", "answers", "choices", "gold", "language"))

    def __init__(self, items: Sequence[Item], circular: bool = False) -> None:
        self.items = items
        self.starts = [0]
        for item in items:
            self.starts.append(self.starts[-1] + (len(item.choices) if circular else 1))

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect_right(self.starts, index) - 1
        by = index - self.starts[place]
        return doc_of(self.items[place].rotated(by) if by else self.items[place])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[index] for index in range(len(self)))


def doc_of(item: Item) -> dict[str, Any]:
    """An item as a document of lm-eval's."""
    return {
        "id": item.name,
        "question": item.question,
        "answers": list(item.answers),
        "choices": list(item.choices),
        "gold": item.gold if item.choices else None,
        "language": item.language,
    }


def item_in(doc: dict[str, Any]) -> Item:
    """The inverse of `doc_of`."""
    return Item(
        str(doc["id"]),
        doc["question"],
        tuple(doc["answers"]),
        tuple(doc["choices"]),
        doc["language"],
    )


def marked(mark: ReplyScore) -> dict[str, float]:
    """A mark as the metrics that lm-eval averages."""
    return {"acc": mark.value, FOUND: float(mark.found)}


def is_unread(task: Any, doc: dict[str, Any], reply: str) -> bool:
    """Whether a task that tells finds nothing to mark in a reply."""
    return FOUND in task.aggregation() and not task.process_results(doc, [reply])[FOUND]


def why_unread(doc: dict[str, Any], reply: str, metric: str | None = None) -> str:
    """Why nothing could be marked in a reply to one of our own documents."""
    if doc["choices"]:
        return mark_choice(reply, doc["choices"], doc["gold"]).why
    return METRICS[metric or metric_for(doc["answers"])](reply, doc["answers"]).why


def _mark_choice(doc: dict[str, Any], results: list[str], metric: str) -> dict[str, float]:
    return marked(mark_choice(results[0], doc["choices"], doc["gold"]))


def _mark_open(doc: dict[str, Any], results: list[str], metric: str) -> dict[str, float]:
    return marked(METRICS[metric](results[0], doc["answers"]))


def _mean(metric: str) -> dict[str, Any]:
    return {"metric": metric, "aggregation": "mean", "higher_is_better": True}


def _load(name: str, home: Path) -> dict[str, Any]:
    """Ours alone where they hold the task: lm-eval's own thousands take seconds to list."""
    from lm_eval.tasks import TaskManager

    own = builtin_tasks(home)
    if name in own:
        manager = TaskManager(include_path=str(own[name].parent), include_defaults=False)
    else:
        manager = TaskManager()
        if name not in manager.all_tasks:
            known = [*own, *manager.all_tasks]
            if get_close_matches(name, known, cutoff=0.5):
                raise UnknownNameError("benchmark", name, known)
            hint = f"lm-eval has {len(manager.all_tasks)} more: lm-eval ls tasks"
            raise UnknownNameError("benchmark", name, own, hint)
    with nullcontext() if name in own else marking_code():  # it takes seconds as well
        return dict(manager.load([name])["tasks"])
