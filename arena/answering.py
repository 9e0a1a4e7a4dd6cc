"""Candidates answer prompts: the first stage."""

from collections.abc import Sequence
from functools import partial

from arena.backends import Reply, Request, open_backend
from arena.batch import Control, Progress, Work, run
from arena.records import Answer, Model, Prompt, answer_key, seed_of
from arena.store import Store

STAGE = "answer"


def generate(
    store: Store, model: Model, prompts: Sequence[Prompt], control: Control | None = None
) -> Progress:
    """Store `model`'s answers to those prompts that it has not answered.

    Raises ModelConflictError where the name stands for another model already, and
    UnavailableError where the model cannot be reached; single failures are counted.
    """
    store.check_model(model)
    keys = [answer_key(model.name, model.key, prompt.key) for prompt in prompts]
    requests = [
        Request(prompt.turns, seed_of(key)) for prompt, key in zip(prompts, keys, strict=True)
    ]

    def make(index: int, reply: Reply) -> Answer:
        return Answer(
            model.name, model.key, prompts[index].key, reply.turns, reply.finish, reply.usage
        )

    def prepare() -> None:
        store.put_model(model)
        store.put_prompts(prompts)

    control = control or Control()
    with open_backend(model, control.limits) as backend:
        ask = partial(backend.converse, requests)
        work = Work(STAGE, store.answers, keys, ask, make, prepare, model.price)
        return run(store, backend, work, control)
