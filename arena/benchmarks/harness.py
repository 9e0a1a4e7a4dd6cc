"""lm-eval as the harness: its tasks and metrics, our models, our store.

A model is configured once and asked through the same backend as in the arena. What it
wrote is kept for each request, so a run that was cut off goes on where it stopped.
"""

import io
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arena.assets import folders
from arena.backends import Reply, Request, open_backend
from arena.batch import Control, Progress, Work, run
from arena.errors import ArenaError, BackendError, InputError, UnknownNameError
from arena.records import Completion, Decoding, Model, Outcome, content_key, seed_of
from arena.store import Store

STAGE = "benchmark"
FEWSHOT_SEED = 1234
INSTALL = "pip install 'lm-eval>=0.4.9'"


def builtin_tasks(home: Path) -> dict[str, Path]:
    """Task names to the folders of their files: ours and the user's own, without lm-eval's."""
    return {
        path.stem: path.parent
        for folder in reversed(folders("data", home))
        for path in sorted((folder / "items").glob("*/*.yaml"))
    }


def bench(
    store: Store,
    model: Model,
    task: str,
    limit: int | None = None,
    control: Control | None = None,
) -> Progress:
    """Run one task on one model and store an outcome for each item and metric.

    Raises InputError where lm-eval is not installed, UnknownNameError for a task that
    nobody has, and BackendError where some items could not be asked; the others are kept.
    """
    if find_spec("lm_eval") is None:
        raise InputError(f"benchmarks are run by lm-eval, which is not installed: {INSTALL}")
    store.check_model(model)
    from arena.benchmarks.adapter import ArenaLM

    progress: list[Progress] = []

    def ask(prompts: Sequence[str], decoding: Decoding) -> list[str]:
        texts, last = _complete(store, model, prompts, decoding, control or Control())
        progress.append(last)
        return texts

    with _quiet_harness():
        results = _evaluate(ArenaLM(ask, model.decoding), task, limit, store.home)
    store.outcomes.add(_outcomes(model, results))
    return progress[-1]


def _evaluate(model: Any, task: str, limit: int | None, home: Path) -> Any:
    """lm-eval's evaluation, below the entry point that reseeds every generator and calls git."""
    from lm_eval.evaluator import evaluate

    manager = _task_manager(task, home)
    try:
        loaded = manager.load([task])
        for entry in loaded["tasks"].values():
            entry.set_fewshot_seed(seed=FEWSHOT_SEED)
            if entry.get_config("num_fewshot") is None:
                entry.set_config(key="num_fewshot", value=0)
        return evaluate(lm=model, task_dict=loaded, limit=limit, bootstrap_iters=0)
    except ArenaError:
        raise
    except Exception as error:  # a task file is somebody's code: whatever it raises is its fault
        raise InputError(f"the task {task} failed: {type(error).__name__}: {error}") from error


def _complete(
    store: Store,
    model: Model,
    prompts: Sequence[str],
    decoding: Decoding,
    control: Control,
) -> tuple[list[str], Progress]:
    asked = replace(model, decoding=decoding)
    keys = [content_key("completion", model.name, asked.key, prompt) for prompt in prompts]
    requests = [Request((p,), seed_of(k)) for p, k in zip(prompts, keys, strict=True)]

    def make(index: int, reply: Reply) -> Completion:
        return Completion(keys[index], model.name, asked.key, reply.turns[-1], reply.usage)

    with open_backend(asked, control.limits) as backend:
        ask = partial(backend.converse, requests)
        prepare = partial(store.put_model, model)
        work = Work(STAGE, store.completions, keys, ask, make, prepare, model.price)
        last = run(store, backend, work, control)
    stored = store.completions.get(keys)
    if missing := sum(key not in stored for key in keys):
        raise BackendError(
            f"{missing} of {len(keys)} items failed ({last.last_error}); run it again: "
            "what was answered is kept"
        )
    return [stored[key].text for key in keys], last


def _task_manager(task: str, home: Path) -> Any:
    """Ours alone where they hold the task: lm-eval's own thousands take seconds to list."""
    from lm_eval.tasks import TaskManager

    own = builtin_tasks(home)
    if task in own:
        return TaskManager(include_path=str(own[task]), include_defaults=False)
    manager = TaskManager()
    if task not in manager.all_tasks:
        raise UnknownNameError("benchmark", task, [*own, *manager.all_tasks])
    return manager


def _outcomes(model: Model, results: Any) -> Iterator[Outcome]:
    for task, samples in results["samples"].items():
        version = str(results["versions"].get(task, ""))
        for sample in samples:
            for metric in sample["metrics"]:
                yield Outcome(
                    model.name,
                    model.key,
                    task,
                    version,
                    item=str(sample["doc_hash"]),
                    metric=metric,
                    value=float(sample[metric]),
                    text=str(sample["resps"][0][0]),
                )


@contextmanager
def _quiet_harness() -> Iterator[None]:
    """lm-eval logs, draws bars and draws random numbers; its errors still raise."""
    state = random.getstate()
    loggers = [logging.getLogger(name) for name in ("lm_eval", "lm-eval", "datasets")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            yield
    finally:
        random.setstate(state)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
