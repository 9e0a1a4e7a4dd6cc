"""lm-eval as the harness: its tasks and metrics, our models, our store.

A model is configured once and asked through the same backend as in the arena. What it wrote,
and how likely it found what, is kept for each request, so a run that was cut off goes on
where it stopped, and items are marked anew without asking.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Self

from arena.backends import Backend, Message, Reply, Request, TextOdds, TextRequest, open_backend
from arena.batch import Control, Progress, Work, run
from arena.benchmarks.asking import Way
from arena.benchmarks.code_eval import check_allowed, code_runs
from arena.benchmarks.quiet import quiet_harness
from arena.benchmarks.sandbox import allowing
from arena.benchmarks.tasks import FOUND, Benchmark, Docs, asked_otherwise, is_unread, why_unread
from arena.errors import ArenaError, BackendError, InputError, NoLikelihoodError
from arena.records import (
    NOBODY,
    RULE,
    UNSAFE,
    AllowCode,
    Completion,
    Decoding,
    Likelihood,
    Model,
    Outcome,
    content_key,
    seed_of,
)
from arena.store import Store

STAGE = "benchmark"
FEWSHOT_SEED = 1234
INSTALL = "pip install 'lm-eval>=0.4.9'"


@dataclass(frozen=True, slots=True)
class Written:
    """A text to go on with, or the messages to reply to; stops end the reply."""

    prompt: str
    messages: tuple[Message, ...] = ()
    stop: tuple[str, ...] = ()
    prefill: str = ""


class Said(str):
    """What lm-eval takes for a reply: what was said after thinking, with how that ended.

    why: why it may hold no answer, empty where it ended by itself.
    """

    why: str = ""

    @classmethod
    def of(cls, text: str, why: str = "") -> Self:
        """A text and why it may hold no answer."""
        said = cls(text)
        said.why = why
        return said


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
) -> Measured:
    """Run one benchmark on one model and store an outcome for each item and metric.

    A server that cannot tell likelihoods is asked to write instead, where the benchmark's
    items are known. Raises InputError for a task that runs a model's code and may not here,
    and BackendError where some items could not be asked; the others are kept.
    """
    check_installed()
    store.check_model(model)
    check_allowed(benchmark.name, benchmark.task, allow_code)
    with allowing(allow_code or AllowCode.CONTAINER):
        return _asked(store, model, benchmark, limit, control or Control())


def _asked(
    store: Store, model: Model, benchmark: Benchmark, limit: int | None, control: Control
) -> Measured:
    try:
        return _measure(store, model, benchmark, limit, control)
    except NoLikelihoodError as error:
        if not benchmark.items:
            raise InputError(
                f"{error}; {benchmark.name} needs that, and has no form that only writes"
            ) from error
        asking = replace(benchmark.asking, way=Way.GEN)
        other = asked_otherwise(benchmark, asking)
        measured = _measure(store, model, other, limit, control)
        note = f"{error}: {benchmark.name} is asked to write the answer instead ({other.about})."
        return replace(measured, notes=(note, *measured.notes))


def _measure(
    store: Store, model: Model, benchmark: Benchmark, limit: int | None, control: Control
) -> Measured:
    from arena.benchmarks.adapter import ArenaLM

    asked = Asker(store, model, control)
    with quiet_harness():
        unread = partial(is_unread, benchmark.task)
        lm = ArenaLM(asked, model.decoding, unread)
        converses = _converses(model, benchmark)
        results = _evaluate(lm, benchmark, limit, chat=converses)
    samples = results["samples"][benchmark.name]
    outcomes, unusual = _outcomes(model, benchmark, samples)
    store.outcomes.put(outcomes)
    notes = [_whole(benchmark, metric, results) for metric in unusual]
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


def _evaluate(lm: Any, benchmark: Benchmark, limit: int | None, *, chat: bool) -> Any:
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
            limit=_documents(task, limit),
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


def _documents(task: Any, limit: int | None) -> int | None:
    """How many documents the first `limit` items are: a rotated item is several."""
    docs = task.eval_docs
    return docs.starts[min(limit, len(docs.items))] if limit and isinstance(docs, Docs) else limit


class Asker:
    """Asks a model for what is not stored, and stores it; adds up how that went."""

    def __init__(self, store: Store, model: Model, control: Control) -> None:
        self._store = store
        self._model = model
        self._control = control
        self._prepare = partial(store.put_model, model)
        self._steps: list[Progress] = []

    @property
    def progress(self) -> Progress:
        """All that was asked, as one step."""
        last = self._steps[-1]
        added = ("total", "found", "stored", "truncated", "retried", "cost", "seconds")
        sums = {name: sum(getattr(step, name) for step in self._steps) for name in added}
        usage = last.usage
        for step in self._steps[:-1]:
            usage += step.usage
        notes = tuple(dict.fromkeys(note for step in self._steps for note in step.notes))
        return replace(last, usage=usage, notes=notes, **sums)

    def opens_thinking(self) -> bool:
        """Whether its chat template is known to open the model's thinking."""
        with open_backend(self._model) as backend:
            return backend.opens_thinking()

    def window(self) -> int | None:
        """The tokens that a conversation may have, if that is known."""
        with open_backend(self._model) as backend:
            return backend.window()

    def write(self, requests: Sequence[Written], decoding: Decoding) -> list[Completion]:
        """What the model writes to each request; raises BackendError where one has no reply."""
        replies = self.try_to_write(requests, decoding)
        self._check([reply is not None for reply in replies])
        return [reply for reply in replies if reply is not None]

    def try_to_write(
        self, requests: Sequence[Written], decoding: Decoding
    ) -> list[Completion | None]:
        """As `write`, with None for a request that failed; a run that was stopped raises."""
        asked = replace(self._model, decoding=decoding)
        name, in_keys = self._model.name, self._model.name_in_keys
        keys = [
            content_key("completion", in_keys, asked.key, r.prompt, r.stop, bool(r.messages))
            for r in requests
        ]
        conversations = [
            Request(
                (r.messages[-1].content if r.messages else r.prompt,),
                seed_of(key),
                before=r.messages[:-1],
                plain=not r.messages,
                stop=r.stop,
                prefill=r.prefill,
                verbatim=True,
            )
            for r, key in zip(requests, keys, strict=True)
        ]

        def make(index: int, reply: Reply) -> Completion:
            return Completion(
                keys[index], name, asked.key, reply.turns[-1], reply.finish[-1], reply.usage
            )

        with open_backend(asked, self._control.limits) as backend:
            ask = partial(backend.converse, conversations)
            work = Work(STAGE, self._store.completions, keys, ask, make, self._prepare, asked.price)
            self._run(backend, work)
        if self._steps[-1].stopped:
            self._check([key in self._store.completions.present(keys) for key in keys])
        stored = self._store.completions.get(keys)
        return [stored.get(key) for key in keys]

    def forgive(self) -> None:
        """Take what failed in the last step for not asked: the run has replies without it."""
        last = self._steps[-1]
        self._steps[-1] = replace(last, total=last.total - last.failed, failed=0, last_error="")

    def read(self, requests: Sequence[TextRequest]) -> list[tuple[float, bool]]:
        """How likely the model finds each text, and whether it would write it."""
        rows = self.likelihoods(requests)
        return [(row.logprob, row.greedy) for row in rows]

    def likelihoods(self, requests: Sequence[TextRequest]) -> list[Likelihood]:
        """As `read`, with the number of tokens."""
        name, model_key = self._model.name, self._model.key
        in_keys = self._model.name_in_keys
        keys = [
            content_key("likelihood", in_keys, model_key, r.context, r.text, said(r.before))
            for r in requests
        ]

        def make(index: int, odds: TextOdds) -> Likelihood:
            return Likelihood(
                keys[index],
                name,
                model_key,
                odds.logprob,
                odds.greedy,
                odds.tokens,
                odds.truncated,
                odds.usage,
            )

        with open_backend(self._model, self._control.limits) as backend:
            ask = partial(backend.likelihoods, requests)
            table = self._store.likelihoods
            work = Work(STAGE, table, keys, ask, make, self._prepare, self._model.price)
            self._run(backend, work)
        stored = table.get(keys)
        self._check([key in stored for key in keys])
        return [stored[key] for key in keys]

    def _run(self, backend: Backend, work: Work[Any, Any]) -> None:
        self._steps.append(run(self._store, backend, work, self._control))

    def _check(self, answered: Sequence[bool]) -> None:
        if missing := answered.count(False):
            last = self._steps[-1]
            why = last.last_error or last.stopped or "another process works on them"
            raise BackendError(
                f"{missing} of {len(answered)} items are not answered ({why}); run it again: "
                "what was answered is kept"
            )


def said(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Messages as a digest takes them."""
    return [(message.role, message.content) for message in messages]


def _outcomes(
    model: Model, benchmark: Benchmark, samples: Sequence[dict[str, Any]]
) -> tuple[list[Outcome], list[str]]:
    """One for each item and metric; and the metrics that are no number in [0, 1] for an item."""
    together: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for sample in samples:
        together[_item(sample), sample["filter"]].append(sample)
    rising = benchmark.task.higher_is_better()
    outcomes, unusual = [], dict[str, None]()
    rule = UNSAFE if code_runs(benchmark.task) is AllowCode.UNSAFE else RULE
    for (item, filtered), here in together.items():
        request = content_key(*[(s["arguments"], s["target"]) for s in here])
        for metric in here[0]["metrics"]:
            values = [_number(sample[metric]) for sample in here]
            if metric == FOUND:
                continue
            if None in values or rising.get(metric) is False:
                unusual[metric] = None
                continue
            unread = next((one for one in here if not one.get(FOUND, 1.0)), None)
            outcomes.append(
                Outcome(
                    model.name,
                    model.key,
                    benchmark.name,
                    benchmark.version,
                    item,
                    metric if filtered == "none" else f"{metric},{filtered}",
                    min(value for value in values if value is not None),
                    "\n\n".join(_said(sample) for sample in here),
                    benchmark.asking.variant,
                    benchmark.dimension,
                    rule if unread is None else NOBODY,
                    request,
                    "" if unread is None else _why(benchmark, unread),
                )
            )
    return outcomes, list(unusual)


def _why(benchmark: Benchmark, sample: dict[str, Any]) -> str:
    """Why nothing could be marked in a reply."""
    reply = sample["resps"][0][0]
    cut = reply.why if isinstance(reply, Said) else ""
    return cut or why_unread(sample["doc"], reply, benchmark.asking.metric)


def _item(sample: dict[str, Any]) -> str:
    """An item's own name where it has one; rotations of one item share it."""
    return str(sample["doc"].get("id") or sample["doc_hash"])


def _said(sample: dict[str, Any]) -> str:
    first = [responses[0] for responses in sample["resps"]]
    if all(isinstance(response, str) for response in first):
        return "\n".join(first)
    return json.dumps([r[0] if isinstance(r, tuple | list) else r for r in first])


def _number(value: Any) -> float | None:
    if isinstance(value, tuple | list | dict | str):
        return None
    number = float(value)
    return number if 0.0 <= number <= 1.0 else None


def _whole(benchmark: Benchmark, metric: str, results: Any) -> str:
    """What lm-eval makes of a metric that only the whole set has."""
    found = results["results"].get(benchmark.name, {})
    value = next((v for name, v in found.items() if name.split(",")[0] == metric), None)
    said = f"{value:.4g}" if isinstance(value, float | int) else "not computed"
    return (
        f"{benchmark.name}: {metric} is {said} over the whole set; it is no share of an item that "
        "is the better the larger, so it is in no ranking."
    )
