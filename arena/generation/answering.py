"""Candidates answer prompts: the first stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arena.backends import Intake, Reply, Request, Result, open_backend
from arena.backends.thinking import UNFINISHED, Spoken, split
from arena.generation.batch import Control, Progress, Work, run
from arena.records import Answer, Model, NoAnswer, Prompt, Unanswered, answer_key, seed_of
from arena.records.errors import InputError, NoAnswerError
from arena.store import Store

STAGE = "answer"
MORE = 4  # times the room that a reply had, where it is asked for again
REFUSED, FILTERED = "refusal", "content_filter"  # how a reply may end; see `Reply.finish`


@dataclass(frozen=True)
class Assignment:
    """What a model is to answer: each prompt, so many times.

    room: the tokens that replies have, where it is not what the model's settings give.
    """

    model: Model
    prompts: Sequence[Prompt]
    samples: int = 1
    room: int | None = None

    @property
    def tasks(self) -> list[tuple[Prompt, int]]:
        """Prompts with the number of the sample."""
        return [(prompt, sample) for sample in range(self.samples) for prompt in self.prompts]

    @property
    def keys(self) -> list[str]:
        """The key that the answer to each task will have."""
        name, key = self.model.name_in_keys, self.model.key
        return [answer_key(name, key, prompt.key, sample) for prompt, sample in self.tasks]

    def answer(self, index: int, reply: Reply) -> Answer:
        """The row for a reply."""
        turns, model = spoken(self.model, reply), self.model
        prompt, sample = self.tasks[index]
        thinking = tuple(turn.thinking for turn in turns)
        return Answer(
            model.name,
            model.key,
            prompt.key,
            tuple(turn.answer for turn in turns),
            reply.finish,
            reply.usage,
            sample,
            thinking=thinking if any(thinking) else (),
            first_name=model.first_name or "",
            thinking_tokens=reply.thinking_tokens,
            room=self.room,
            first_token=reply.first_token,
            adjustments=reply.adjustments,
        )

    def unanswered(self, index: int, reply: Reply, error: NoAnswerError) -> Unanswered:
        """The row for a reply that is no answer."""
        turns = taken_apart(reply)
        prompt, sample = self.tasks[index]
        return Unanswered(
            self.keys[index],
            self.model.name,
            self.model.key,
            prompt.key,
            sample,
            NoAnswer(error.kind),
            tuple(turn.answer for turn in turns),
            reply.finish,
            tuple(turn.thinking for turn in turns),
            self.room or self.model.decoding.room,
            reply.usage,
        )


def generate(
    store: Store,
    model: Model,
    prompts: Sequence[Prompt],
    control: Control | None = None,
    *,
    samples: int = 1,
) -> Progress:
    """Store `model`'s answers to those prompts that it has not answered.

    samples: how many answers to each. A reply that is no answer is stored as such, and is not
    asked for again here; see `retry`. Raises ModelConflictError where the name stands for
    another model already, InputError where samples would all be the same, and UnavailableError
    where the model cannot be reached; single failures are counted.
    """
    if samples > 1 and not model.decoding.temperature:
        raise InputError(
            f"--samples {samples}: {model.name} says the same each time; give it a temperature "
            "above 0"
        )
    asked = Assignment(model, prompts, samples)
    aside = store.standing_unanswered().keys() & set(asked.keys)
    progress = _run(store, asked, frozenset(aside), control or Control())
    return replace(progress, unanswered=len(aside)) if aside else progress


def retry(
    store: Store,
    model: Model,
    prompts: Sequence[Prompt],
    control: Control | None = None,
    *,
    samples: int = 1,
) -> list[Progress]:
    """Ask again for what failed, and, with more room, for replies that were no answers."""
    asked, control = Assignment(model, prompts, samples), control or Control()
    keys, silent = set(asked.keys), store.standing_unanswered()
    failed = store.failed(STAGE) & keys - silent.keys() - store.answers.present(keys)
    steps = [_run(store, asked, frozenset(keys - failed), control)] if failed else []
    rooms = sorted({row.room for key, row in silent.items() if key in keys})
    for room in rooms:
        here = {key for key, row in silent.items() if row.room == room}
        more = replace(asked, room=MORE * room)
        steps.append(_run(store, more, frozenset(keys - here), control))
    return steps


@dataclass(frozen=True)
class Answering:
    """What models are to do, for a process that opens the database itself.

    again: only what failed, and replies that were no answers.
    """

    database: Path
    prompts: Sequence[Prompt]
    samples: int = 1
    again: bool = False

    def ask(self, model: Model, control: Control) -> list[Progress]:
        """`generate` or `retry` with one model."""
        store = Store(self.database)
        how = {"samples": self.samples}
        try:
            if self.again:
                return retry(store, model, self.prompts, control, **how)
            return [generate(store, model, self.prompts, control, **how)]
        finally:
            store.close()


def _run(store: Store, asked: Assignment, aside: frozenset[str], control: Control) -> Progress:
    model, keys = asked.model, asked.keys
    store.check_model(model)
    requests = [
        Request(prompt.turns, seed_of(key), timed=True)
        for (prompt, _), key in zip(asked.tasks, keys, strict=True)
    ]

    def prepare() -> None:
        store.put_model(model)
        store.put_prompts(asked.prompts)

    with open_backend(_with_room(model, asked.room), control.limits) as backend:

        def ask(intake: Intake) -> Iterator[Result[Reply]]:
            for results in backend.converse(requests, intake):
                yield _checked(store, asked, results)

        work = Work(STAGE, store.answers, keys, ask, asked.answer, prepare, model.price, aside)
        return run(store, backend, work, control)


def _with_room(model: Model, room: int | None) -> Model:
    if room is None:
        return model
    extra = room - model.decoding.room
    how = replace(model.decoding, max_tokens=model.decoding.max_tokens + extra)
    return replace(model, decoding=how)


def _checked(store: Store, asked: Assignment, results: Result[Reply]) -> Result[Reply]:
    """Results with an error in place of each reply that is no answer, which is stored as such."""
    checked: Result[Reply] = []
    silent = []
    for index, reply in results:
        try:
            if isinstance(reply, NoAnswerError):
                raise reply
            if isinstance(reply, Reply):
                spoken(asked.model, reply, asked.room)
            checked.append((index, reply))
        except NoAnswerError as error:
            said = reply if isinstance(reply, Reply) else Reply(("",), (FILTERED,))
            silent.append(asked.unanswered(index, said, error))
            checked.append((index, error))
    store.unanswered.add(silent)
    return checked


def spoken(model: Model, reply: Reply, room: int | None = None) -> tuple[Spoken, ...]:
    """A reply's turns taken apart; raises NoAnswerError where one of them has no answer.

    room: the tokens that it had, where these are not what the model's settings give.
    """
    turns = taken_apart(reply)
    for turn, finish in zip(turns, reply.finish, strict=True):
        if (state := _state(turn, finish)) is not None:
            why = _WHY[state] if turn.unfinished or state is not NoAnswer.THINKING else _HIDDEN
            most = f"{room} tokens" if room else f"max_tokens: {model.decoding.max_tokens}"
            raise NoAnswerError(f"{model.name}: {why.format(room=most)}", state)
    return turns


def taken_apart(reply: Reply) -> tuple[Spoken, ...]:
    """A reply's turns, each with what was thought before it."""
    apart = reply.thinking or ("",) * len(reply.turns)
    return tuple(_turn(text, told) for text, told in zip(reply.turns, apart, strict=True))


def _state(turn: Spoken, finish: str) -> NoAnswer | None:
    """Why a turn is no answer; None where it is one."""
    if finish in (REFUSED, FILTERED):
        return NoAnswer.REFUSAL if finish == REFUSED else NoAnswer.FILTER
    if turn.unfinished:
        return NoAnswer.THINKING
    if turn.answer.strip():
        return None
    return NoAnswer.THINKING if finish == "length" else NoAnswer.EMPTY


_AGAIN = "so there is no answer; give it more room than {room}"
_HIDDEN = f"the reply is empty though its tokens were used up, as by hidden thinking, {_AGAIN}"
_WHY = {
    NoAnswer.THINKING: f"{UNFINISHED}, {_AGAIN}",
    NoAnswer.EMPTY: "the reply is empty",
    NoAnswer.REFUSAL: "the server says that the model refuses to answer",
    NoAnswer.FILTER: "a content filter of the server has stopped the reply",
}


def _turn(text: str, told: str) -> Spoken:
    """A text taken apart, with the thinking that the server told apart from it."""
    found = split(text)
    return replace(found, thinking="\n".join(filter(None, (told, found.thinking))))
