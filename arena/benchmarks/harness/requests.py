"""What a harness asks of a model: what is stored is not asked again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from arena.backends import Backend, Message, Reply, Request, TextOdds, TextRequest, open_backend
from arena.generation.batch import Control, Progress, Work, run
from arena.records import Completion, Decoding, Likelihood, Model, Usage, content_key, seed_of
from arena.records.errors import BackendError
from arena.store import Store

STAGE = "benchmark"
_SPENT = ("retried", "cost", "seconds")


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A text to go on with, or the messages to reply to; stops end the reply."""

    prompt: str
    messages: tuple[Message, ...] = ()
    stop: tuple[str, ...] = ()
    prefill: str = ""


class ReplyText(str):
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


class ModelRequests:
    """Asks a model for what is not stored, and stores it; shows all of it as one step.

    What is asked once more is no more rows: until it is answered, its rows are not done.
    """

    def __init__(self, store: Store, model: Model, control: Control) -> None:
        self._store = store
        self._model = model
        self._control = control
        self._prepare = partial(store.put_model, model)
        self._steps: list[Progress] = []
        self._again: list[Progress] = []

    @property
    def progress(self) -> Progress:
        """All that was asked, as one step. What failed when it was asked once more is forgiven."""
        last = self._steps[-1]
        added = ("total", "found", "stored", "under_way", "truncated")
        sums = {name: sum(getattr(step, name) for step in self._steps) for name in added}
        every = [*self._steps, *self._again]
        sums |= {name: sum(getattr(step, name) for step in every) for name in _SPENT}
        usage = sum((step.usage for step in every), Usage())
        notes = tuple(dict.fromkeys(note for step in every for note in step.notes))
        stopped = next((step.stopped for step in reversed(every) if step.stopped), "")
        return replace(last, usage=usage, notes=notes, stopped=stopped, **sums)

    def end(self) -> None:
        """Show that all is asked."""
        if self._steps:
            self._control.on_progress(replace(self.progress, ended=True))

    def _show(self, step: Progress, *, again: bool) -> None:
        """Show the step in hand as a part of the whole."""
        steps = self._again if again else self._steps
        steps.append(step)
        whole = replace(self.progress, doing=step.doing, ended=False)
        steps.pop()
        if again:
            left = step.total - step.found - step.done
            whole = replace(whole, under_way=-left, again=step.total - step.found)
        self._control.on_progress(whole)

    def opens_thinking(self) -> bool:
        """Whether its chat template is known to open the model's thinking."""
        with open_backend(self._model, self._control.limits) as backend:
            return backend.opens_thinking()

    def window(self) -> int | None:
        """The tokens that a conversation may have, if that is known."""
        with open_backend(self._model, self._control.limits) as backend:
            return backend.window()

    def write(self, requests: Sequence[GenerationRequest], decoding: Decoding) -> list[Completion]:
        """What the model writes to each request; raises BackendError where one has no reply."""
        replies = self.try_to_write(requests, decoding)
        self._check([reply is not None for reply in replies])
        return [reply for reply in replies if reply is not None]

    def try_to_write(
        self, requests: Sequence[GenerationRequest], decoding: Decoding, *, again: bool = False
    ) -> list[Completion | None]:
        """As `write`, with None for a request that failed; a run that was stopped raises.

        again: whether these are asked once more, and their first replies are stored.
        """
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
            step = self._run(backend, work, again=again)
        if step.stopped:
            self._check([key in self._store.completions.present(keys) for key in keys])
        stored = self._store.completions.get(keys)
        return [stored.get(key) for key in keys]

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
            prepare, price = self._prepare, self._model.price
            work = Work(STAGE, table, keys, ask, make, prepare, price, unit="texts")
            self._run(backend, work)
        stored = table.get(keys)
        self._check([key in stored for key in keys])
        return [stored[key] for key in keys]

    def _run(self, backend: Backend, work: Work[Any, Any], *, again: bool = False) -> Progress:
        control = replace(self._control, on_progress=partial(self._show, again=again))
        step = run(self._store, backend, work, control)
        (self._again if again else self._steps).append(step)
        return step

    def _check(self, answered: Sequence[bool]) -> None:
        if missing := answered.count(False):
            last = (self._again or self._steps)[-1]
            why = last.last_error or last.stopped or "another process works on them"
            raise BackendError(
                f"{missing} of {len(answered)} items are not answered ({why}); run it again: "
                "what was answered is kept"
            )


def said(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Messages as a digest takes them."""
    return [(message.role, message.content) for message in messages]
