"""lm-eval as the harness: its tasks and metrics, our models, our store.

A model is configured once and asked through the same backend as in the arena. What it wrote,
and how likely it found what, is kept for each request, so a run that was cut off goes on
where it stopped, and items are marked anew without asking.
"""

from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from arena.benchmarks.code.code_eval import check_allowed, code_runs
from arena.benchmarks.code.sandbox import allowing
from arena.benchmarks.harness.outcomes import of_the_whole_set, outcomes_of
from arena.benchmarks.harness.requests import STAGE, ModelRequests
from arena.benchmarks.items.asking import ItemMode
from arena.benchmarks.items.tasks import (
    Benchmark,
    Docs,
    asked_otherwise,
    is_unread,
)
from arena.benchmarks.quiet import quiet_harness
from arena.generation.batch import Control, Progress
from arena.generation.shards import Shard
from arena.records import (
    AllowCode,
    Model,
    Outcome,
)
from arena.records.errors import ArenaError, InputError, NoLikelihoodError
from arena.store import Store

FEWSHOT_SEED = 1234
INSTALL = "pip install 'lm-eval>=0.4.9'"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which items of a benchmark are asked: the first `limit`, and of these a part."""

    limit: int | None = None
    shard: Shard | None = None

    def as_lm_eval(self, benchmark: Benchmark) -> dict[str, Any]:
        """The documents as the harness takes them; those of a part may be none."""
        docs = benchmark.task.eval_docs
        limit = self.limit
        if limit and isinstance(docs, Docs):  # an item that is rotated is several documents
            limit = docs.starts[min(limit, len(docs.items))]
        if self.shard is None:
            return {"limit": limit}
        here = range(min(limit or len(docs), len(docs)))
        names = [docs[i].get("id") or repr(docs[i]) for i in here]
        return {"samples": {benchmark.name: self.shard.places(names)}}


@dataclass(frozen=True, slots=True)
class Measured:
    """How a benchmark went on one model.

    notes: what must be known of it, as sentences. code: how what the model wrote was run, None
    where it was not.
    """

    benchmark: Benchmark
    progress: Progress
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    code: AllowCode | None = None


def check_installed() -> None:
    """Raise InputError where lm-eval is not there, with the way to get it."""
    if find_spec("lm_eval") is None:
        raise InputError(f"benchmarks are run by lm-eval, which is not installed: {INSTALL}")


def bench(
    store: Store,
    model: Model,
    benchmark: Benchmark,
    limit: int | None = None,
    control: Control | None = None,
    *,
    allow_code: AllowCode | None = None,
    shard: Shard | None = None,
) -> Measured:
    """Run one benchmark on one model and store an outcome for each item and metric.

    limit: the first so many items. shard: the part of them that is asked; None for all.

    A server that cannot tell likelihoods is asked to write instead, where the benchmark's
    items are known. Raises InputError for a task that runs a model's code and may not here,
    and BackendError where some items could not be asked; the others are kept.
    """
    check_installed()
    store.check_model(model)
    check_allowed(benchmark.name, benchmark.task, allow_code)
    with allowing(allow_code or AllowCode.CONTAINER):
        return _asked(store, model, benchmark, Chosen(limit, shard), control or Control())


def _asked(
    store: Store, model: Model, benchmark: Benchmark, chosen: Chosen, control: Control
) -> Measured:
    try:
        return _measure(store, model, benchmark, chosen, control)
    except NoLikelihoodError as error:
        if not benchmark.items:
            raise InputError(
                f"{error}; {benchmark.name} needs that, and has no form that only writes"
            ) from error
        asking = replace(benchmark.asking, way=ItemMode.GEN)
        other = asked_otherwise(benchmark, asking)
        measured = _measure(store, model, other, chosen, control)
        note = f"{error}: {benchmark.name} is asked to write the answer instead ({other.about})."
        return replace(measured, notes=(note, *measured.notes))


def _measure(
    store: Store, model: Model, benchmark: Benchmark, chosen: Chosen, control: Control
) -> Measured:
    from arena.benchmarks.harness.adapter import ArenaLM

    which = chosen.as_lm_eval(benchmark)
    if which.get("samples") == {benchmark.name: []}:  # there are more parts than items
        return Measured(benchmark, Progress(STAGE, 0, ended=True), ())
    asked = ModelRequests(store, model, control)
    with quiet_harness():
        unread = partial(is_unread, benchmark.task)
        lm = ArenaLM(asked, model.decoding, unread)
        converses = _converses(model, benchmark)
        try:
            results = _evaluate(lm, benchmark, which, chat=converses)
        finally:
            asked.end()
    samples = results["samples"][benchmark.name]
    outcomes, unusual = outcomes_of(model, benchmark, samples)
    store.put_model(model)  # where all was asked before, under a name that it had once
    store.outcomes.put(outcomes)
    notes = [of_the_whole_set(benchmark, metric, results) for metric in unusual]
    if model.decoding.system and not converses:
        notes.append(
            f"{benchmark.name} is put to {model.name} as plain text, in which its system text has "
            "no place. --chat-template (in arena.yaml: chat: true) puts it as a conversation, "
            "system text included."
        )
    how = code_runs(benchmark.task)
    if how is AllowCode.UNSAFE:
        notes.append(
            f"{benchmark.name}: what models write ran without a container (--allow-code unsafe), "
            "where it can cheat and do harm."
        )
    return Measured(benchmark, asked.progress, tuple(outcomes), tuple(notes), how)


def _converses(model: Model, benchmark: Benchmark) -> bool:
    """Whether texts are put as conversations: what is written is, but to a base model."""
    asked = benchmark.asking.chat
    return benchmark.writes and not model.base if asked is None else asked


def _evaluate(lm: Any, benchmark: Benchmark, which: dict[str, Any], *, chat: bool) -> Any:
    """lm-eval's evaluation, below the entry point that reseeds every generator and calls git."""
    from lm_eval.evaluator import evaluate

    task, asking = benchmark.task, benchmark.asking
    task.set_fewshot_seed(seed=FEWSHOT_SEED)
    if task.get_config("num_fewshot") is None:
        task.set_config(key="num_fewshot", value=0)
    try:
        return evaluate(
            lm=lm,
            task_dict={"tasks": {benchmark.name: task}},
            **which,
            bootstrap_iters=0,
            apply_chat_template=chat,
            fewshot_as_multiturn=asking.multiturn,
            confirm_run_unsafe_code=True,
        )
    except ArenaError:
        raise
    except Exception as error:  # a task file is somebody's code: whatever it raises is its fault
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"the task {benchmark.name} failed: {reason}") from error
