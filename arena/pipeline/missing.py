"""What is still to be done: the rows that a run by arena.yaml would add to a database.

Models and judges that are archived lack nothing, and neither do models from files, which nobody
can ask. What cannot be known without running something is None.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Self

from arena.benchmarks.items.reading import read_items
from arena.benchmarks.items.tasks import builtin_tasks
from arena.benchmarks.runs import ways_of
from arena.benchmarks.scores import item_values
from arena.config import BenchmarkRun, Config
from arena.files.encodings import read_text
from arena.files.strict import parse_yaml
from arena.generation.prompts import load_prompts
from arena.judging import Wanted, load_card, plan
from arena.records import BackendKind, Mode, Model, Prompt, answer_key
from arena.records.errors import ArenaError, InputError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import Changed, find, replaced, stored_name

_TABLES = {Mode.PAIRWISE: "verdicts", Mode.SCORE: "scores", Mode.RANK: "rankings"}


def missing_rows(store: Store, config: Config) -> dict[str, int | None]:
    """By stage, how many rows are missing; None where that is not known.

    answers: of the models of arena.yaml to its prompts; without models there, of the stored
    models to the prompts that they were asked. verdicts, scores, rankings: what the judges of
    arena.yaml have not said of the answers that are stored. outcomes: items of the benchmarks of
    arena.yaml that its models have not answered as it asks them.
    """
    aside = store.archive.names(Archivable.MODEL)
    models = _models(store, config, aside)
    try:
        prompts = load_prompts(config.prompts, store.home, config.limit)
    except ArenaError:  # `drift.mismatches` says what is wrong with them
        return {"answers": None, "outcomes": _outcomes(store, config, models)}
    if not config.models:
        prompts = _asked(store, models)
    found: dict[str, int | None] = {"answers": _answers(store, models, prompts)}
    found |= _judgements(store, config, [model.name for model in models], prompts)
    return found | {"outcomes": _outcomes(store, config, models)}


def _models(store: Store, config: Config, aside: set[str]) -> list[Model]:
    """The models that answer: those of arena.yaml as they would be stored, else those stored."""
    if not config.models:
        stored = store.models()
        old = replaced(store)
        return [m for m in stored if m.backend is not BackendKind.IMPORTED and m.name not in old]
    found = (find(store, model) for model in config.candidates().values())
    settled = [one.model if isinstance(one, Changed) else one for one in found]
    return [model for model in settled if model.name not in aside]


def _asked(store: Store, models: Sequence[Model]) -> list[Prompt]:
    """The stored prompts that one of these models answered, or nobody did."""
    by_prompt: defaultdict[str, set[str]] = defaultdict(set)
    for answer in store.answers.where():
        by_prompt[answer.prompt_key].add(answer.model)
    names = {model.name for model in models}
    return [p for p in store.prompts.where() if not by_prompt[p.key] or by_prompt[p.key] & names]


def _answers(store: Store, models: Sequence[Model], prompts: Sequence[Prompt]) -> int:
    keys = [answer_key(m.name_in_keys, m.key, prompt.key) for m in models for prompt in prompts]
    return len(keys) - len(store.answers.present(keys))


def _judgements(
    store: Store, config: Config, models: Sequence[str], prompts: Sequence[Prompt]
) -> Mapping[str, int | None]:
    """By table, what the judges of arena.yaml have not said of the stored answers."""
    found: dict[str, int | None] = {}
    aside = store.archive.names(Archivable.JUDGE)
    stored = {model.name for model in store.models()}
    candidates = config.candidates()
    for run in config.judges:
        table = _TABLES[run.mode]
        try:
            card = load_card(run.judge, store.home)
            if card.name in aside:
                continue
            baseline = run.baseline and stored_name(store, candidates, run.baseline)
            here = [name for name in models if name in stored]
            asked = prompts[: run.limit]
            todo = plan(
                store, card, asked, run.mode, models=here, wanted=Wanted(baseline=baseline)
            ).missing()
        except InputError:  # there are no answers to judge yet, or the card cannot be read
            todo = None
        before = found.get(table, 0)
        found[table] = None if todo is None or before is None else before + todo
    return found


@dataclass(frozen=True, slots=True)
class _Answered:
    """Items by benchmark and way of asking: those that any model answered, and those of each."""

    items: Mapping[tuple[str, str], set[str]]
    had: Mapping[tuple[str, str, str], set[str]]

    @classmethod
    def of(cls, store: Store) -> Self:
        items: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        had: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        for one in item_values(store.evidence.outcomes()):
            items[one.benchmark, one.variant].add(one.item)
            had[one.benchmark, one.variant, one.model].add(one.item)
        return cls(items, had)

    def lacking(self, asked: tuple[str, str], models: Sequence[str], whole: int) -> int:
        """How many of `whole` items these models lack together."""
        return sum(max(0, whole - len(self.had.get((*asked, name), ()))) for name in models)


def _outcomes(store: Store, config: Config, models: Sequence[Model]) -> int | None:
    """Items of the benchmarks of arena.yaml that its models have not answered as it asks them.

    How many items there are is told by the file of an own benchmark, and else by the model that
    answered most. None where neither is known of a benchmark: it was not run yet.
    """
    if not config.benchmarks:
        return None
    answered, missing = _Answered.of(store), 0
    names = [model.name for model in models]
    for entry in config.benchmarks:
        for name, variants in ways_of([entry]):
            for asked in product(_members(name, store), variants):
                size = len(answered.items.get(asked, ())) or _size(entry)
                if not size:
                    return None
                missing += answered.lacking(asked, names, min(size, entry.limit or size))
    return missing


def _members(name: str, store: Store) -> list[str]:
    """The benchmarks that a name stands for: those of a group of built-in or own task files."""
    path, tasks = builtin_tasks(store.home).get(name), None
    with suppress(InputError):  # a file with lm-eval's own tags is a task, and no group
        _, spec = parse_yaml(read_text(path), path) if path else (None, None)
        tasks = spec.get("task") if isinstance(spec, dict) and "group" in spec else None
    return [str(task) for task in tasks] if isinstance(tasks, list) else [name]


def _size(entry: BenchmarkRun) -> int:
    """How many items the file of a benchmark has; 0 where there is no file that can be read."""
    if not entry.data:
        return 0
    with suppress(InputError):
        return len(read_items(Path(entry.data)))
    return 0
