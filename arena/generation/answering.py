"""Candidates answer prompts: the first stage."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from arena.backends import Intake, Reply, Request, Result, open_backend
from arena.backends.thinking import UNFINISHED, Spoken, split
from arena.errors import BackendError, NoAnswerError
from arena.generation.batch import Control, Progress, Work, run
from arena.records import Answer, Model, Prompt, answer_key, seed_of
from arena.store import Store

STAGE = "answer"


def generate(
    store: Store, model: Model, prompts: Sequence[Prompt], control: Control | None = None
) -> Progress:
    """Store `model`'s answers to those prompts that it has not answered.

    Raises ModelConflictError where the name stands for another model already, and
    UnavailableError where the model cannot be reached; single failures are counted, among
    them replies that ended before the model had thought to its end.
    """
    store.check_model(model)
    keys = [answer_key(model.name_in_keys, model.key, prompt.key) for prompt in prompts]
    requests = [
        Request(prompt.turns, seed_of(key)) for prompt, key in zip(prompts, keys, strict=True)
    ]

    def make(index: int, reply: Reply) -> Answer:
        turns = spoken(model, reply)
        thinking = tuple(turn.thinking for turn in turns)
        return Answer(
            model.name,
            model.key,
            prompts[index].key,
            tuple(turn.answer for turn in turns),
            reply.finish,
            reply.usage,
            thinking=thinking if any(thinking) else (),
            first_name=model.first_name or "",
        )

    def prepare() -> None:
        store.put_model(model)
        store.put_prompts(prompts)

    control = control or Control()
    with open_backend(model, control.limits) as backend:

        def ask(intake: Intake) -> Iterator[Result[Reply]]:
            for results in backend.converse(requests, intake):
                yield [(index, _whole(model, reply)) for index, reply in results]

        work = Work(STAGE, store.answers, keys, ask, make, prepare, model.price)
        return run(store, backend, work, control)


def spoken(model: Model, reply: Reply) -> tuple[Spoken, ...]:
    """A reply's turns taken apart; raises NoAnswerError where one of them has no answer."""
    apart = reply.thinking or ("",) * len(reply.turns)
    turns = tuple(_turn(text, told) for text, told in zip(reply.turns, apart, strict=True))
    for turn, finish in zip(turns, reply.finish, strict=True):
        if turn.unfinished or (finish == "length" and not turn.answer.strip()):
            raise NoAnswerError(
                f"{model.name}: {UNFINISHED if turn.unfinished else _EMPTY}, so there is no "
                f"answer; give it more room than max_tokens: {model.decoding.max_tokens}"
            )
    return turns


def _turn(text: str, told: str) -> Spoken:
    """A text taken apart, with the thinking that the server told apart from it."""
    found = split(text)
    return replace(found, thinking="\n".join(filter(None, (told, found.thinking))))


_EMPTY = "the reply is empty though its tokens were used up, as thinking does that is not shown"


def _whole(model: Model, reply: Reply | BackendError) -> Reply | BackendError:
    """A reply, or what is wrong with it."""
    if isinstance(reply, BackendError):
        return reply
    try:
        spoken(model, reply)
    except NoAnswerError as error:
        return error
    return reply
