"""Two models that answer while somebody watches, neither knowing nor showing who they are."""

import queue
import random
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations

from arena.backends import Message, Reply, Request, availability, open_backend, release
from arena.config import AppSettings
from arena.generation.answering import spoken, taken_apart
from arena.records import LIVE, Answer, BackendKind, Battle, Model, Prompt, Talk, answer_key
from arena.records.errors import ArenaError, BackendError, InputError
from arena.store import Store
from arena.store.versions import replaced
from arena.web.security.voters import TOKEN_SECONDS
from arena.web.voting.idle import Idle

CHECKED_FOR = 60.0
TICK = 0.15
# Between the seeds of one attempt at a turn and the next; a battle has fewer turns.
APART = 1000
# Battles that one voter may have open; the oldest makes way.
MOST_OPEN = 4


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether a model can answer live. detail: for whoever runs the arena only."""

    model: Model
    ready: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is shown of both answers at one moment. done: neither goes on.

    thinking: while nothing is shown yet, how many characters the one that thinks longer has
    thought; the same on both sides, so that it does not tell them apart.
    """

    first: str
    second: str
    done: bool = False
    thinking: int = 0


UNSEEN = Glimpse("", "")
Asked = tuple[Glimpse, tuple[Reply, Reply] | None]


class StoppedError(InputError):
    """Whoever asked has stopped both models."""


class TurnRefusedError(InputError):
    """A turn that cannot be taken. word: of the sentence that says why."""

    def __init__(self, word: str, **values: object) -> None:
        super().__init__(word)
        self.word = word
        self.values = values


class Live:
    """Which models answer live, and the battles between them."""

    def __init__(
        self,
        store: Store,
        models: Mapping[str, Model],
        settings: AppSettings,
        dice: random.Random | None = None,
    ) -> None:
        self._store = store
        self._models = dict(models)
        self._settings = settings
        self._dice = dice or random.SystemRandom()
        self._idle = Idle(60 * settings.idle_minutes, release)
        self._turn = threading.Lock()
        # What stops the models: by battle, and by the voter who asked two by name.
        self._writing: dict[str, threading.Event] = {}
        self._reading: dict[str, threading.Event] = {}
        self._checked: tuple[float, tuple[Ready, ...]] = (0.0, ())

    def states(self, again: bool = False) -> tuple[Ready, ...]:
        """All candidates, asked whether they can answer at most once a minute unless `again`."""
        with self._turn:
            since, found = self._checked
            if again or not since or time.monotonic() - since > CHECKED_FOR:
                candidates = self.candidates()
                with ThreadPoolExecutor(max(1, min(16, len(candidates)))) as pool:
                    found = tuple(pool.map(self._state, candidates))
                self._checked = time.monotonic(), found
            return found

    def known(self) -> tuple[Ready, ...] | None:
        """What `states` has without asking; None where it would have to ask."""
        since, found = self._checked
        return found if since and time.monotonic() - since <= CHECKED_FOR else None

    def candidates(self) -> list[Model]:
        """Those of arena.yaml, and those of the store that need no address to be reached.

        A version that another took the place of is not among them: nobody will use it.
        """
        old = replaced(self._store, in_use=self._models)
        here = {
            model.name: model
            for model in self._store.models()
            if model.backend in (BackendKind.LOCAL, BackendKind.FAKE) and model.name not in old
        }
        return list((here | self._models).values())

    def ready(self) -> dict[str, Model]:
        """The models that can answer now and are not paused, by name."""
        paused = self._store.withheld("model")
        return {
            state.model.name: state.model
            for state in self.states()
            if state.ready and state.model.name not in paused
        }

    def begin(self, voter: str) -> Talk:
        """A battle between two models drawn with equal chances, each on a side at random."""
        pairs = list(combinations(sorted(self.ready()), 2))
        if not pairs:
            raise TurnRefusedError("no_live")
        sides = list(self._dice.choice(pairs))
        self._dice.shuffle(sides)
        # Abandoned battles: nobody can vote on them any more, or nobody has answered in them.
        self._store.talks.remove_older(2 * TOKEN_SECONDS)
        mine = list(self._store.talks.where(voter=voter))
        going = [talk.key for talk in mine if talk.first or self.is_writing(talk.key)]
        kept = going[-(MOST_OPEN - 1) :]
        self._store.talks.remove(talk.key for talk in mine if talk.key not in kept)
        talk = Talk(secrets.token_urlsafe(24), voter, sides[0], sides[1], 1 / len(pairs))
        self._store.talks.put([talk])
        return talk

    def find(self, key: str, voter: str) -> Talk | None:
        """A battle that is under way, of this voter."""
        talk = next(self._store.talks.recent(TOKEN_SECONDS, key=key), None)
        return talk if talk and secrets.compare_digest(talk.voter, voter) else None

    def latest(self, voter: str) -> Talk | None:
        """The battle that this voter began last, if it is under way and something was asked."""
        talks = [
            talk for talk in self._store.talks.recent(TOKEN_SECONDS, voter=voter) if talk.turns
        ]
        return talks[-1] if talks else None

    def is_writing(self, key: str) -> bool:
        """Whether this app's models are writing in a battle."""
        return key in self._writing

    def take_up(self, key: str, voter: str) -> tuple[Talk | None, str]:
        """A battle of this voter's, and the turn that was left unanswered, which it then lacks."""
        talk = self.find(key, voter)
        if talk is None or not talk.turns or talk.answered or self.is_writing(key):
            return talk, ""
        before = replace(talk, turns=talk.turns[: len(talk.first)])
        self._go_on(talk, before)
        return before, talk.turns[-1]

    def check(self, text: str, turns: int = 0) -> str:
        """A user's turn, trimmed; raises TurnRefusedError where it cannot be taken."""
        text = text.strip()
        most = self._settings.prompt_characters
        if not text:
            raise TurnRefusedError("empty_prompt")
        if len(text) > most:
            raise TurnRefusedError("prompt_too_long", length=len(text), most=most)
        if turns >= self._settings.turns:
            raise TurnRefusedError("too_many_turns", most=self._settings.turns)
        return text

    def ask(self, talk: Talk, text: str) -> Iterator[Glimpse]:
        """Put one more turn to both; the battle in the store has it when both have answered.

        Until then it is marked as open, so that nobody can vote. Raises TurnRefusedError
        where the turn cannot be taken, StoppedError where it was stopped, and BackendError
        where a model fails; then the battle is what it was before.
        """
        text = self.check(text, len(talk.turns))
        return self._put(talk, talk, text)

    def ask_again(self, talk: Talk) -> Iterator[Glimpse]:
        """Put the last turn to both once more; what they say now takes the place of what they said.

        Raises as `ask` does.
        """
        if not talk.answered:
            raise TurnRefusedError("not_ended")
        return self._put(talk, shorter(talk), talk.turns[-1])

    def side_by_side(self, models: list[Model], text: str, voter: str) -> Iterator[Asked]:
        """Both answers to one question, of which nothing is kept; see the function below.

        voter: who may stop them; another question of theirs stops this one too.
        """
        self.stop_side_by_side(voter)
        stop = self._reading[voter] = threading.Event()
        try:
            with self._idle.in_use():
                yield from side_by_side(models, [(), ()], text, secrets.randbits(32), stop)
        finally:
            if self._reading.get(voter) is stop:
                del self._reading[voter]

    def stop_side_by_side(self, voter: str) -> None:
        """Let both models stop that this voter has asked by name."""
        if reading := self._reading.get(voter):
            reading.set()

    def stop(self, key: str, voter: str) -> None:
        """Let both models stop writing, if they are at it in this battle of this voter."""
        if self.find(key, voter) is not None and (writing := self._writing.get(key)):
            writing.set()

    def _put(self, talk: Talk, before: Talk, text: str) -> Iterator[Glimpse]:
        """Put a turn to both. talk: as it is in the store; before: as it was before the turn."""
        if talk.turns and not talk.answered:
            raise TurnRefusedError("not_ended")
        if (now := self.find(talk.key, talk.voter)) != talk:  # another tab went on, or voted
            raise TurnRefusedError("not_ended" if now else "blocked_turn")
        opened = replace(before, turns=(*before.turns, text))
        self._store.talks.put([opened])
        stop = self._writing[talk.key] = threading.Event()
        then = talk
        try:
            models = [self._model(talk.first_model), self._model(talk.second_model)]
            said = [_conversation(before.turns, side) for side in (before.first, before.second)]
            seed = seed_of_talk(talk) + len(before.turns) + APART * before.attempts
            with self._idle.in_use():
                for glimpse, whole in side_by_side(models, said, text, seed, stop):
                    if whole:
                        then = _answered(opened, *whole)
                        self._go_on(opened, then)
                    yield glimpse
        except GeneratorExit:  # the page was left: a new turn is its draft when it comes back
            then = opened if before is talk else talk
            raise
        finally:
            self._writing.pop(talk.key, None)
            self._go_on(opened, then)

    def settle(self, talk: Talk) -> Battle:
        """Put what was said into the store as any other answers, with the battle to vote on."""
        prompt = Prompt(f"live {talk.key[:8]}", talk.turns, LIVE, _language(talk.turns), (), LIVE)
        sample = seed_of_talk(talk)
        answers = []
        for name, turns, finish in (
            (talk.first_model, talk.first, talk.first_finish),
            (talk.second_model, talk.second, talk.second_finish),
        ):
            model = self._model(name)
            self._store.put_model(model)
            answers.append(Answer(name, model.key, prompt.key, turns, finish, sample=sample))
        self._store.prompts.add([prompt])
        self._store.answers.add(answers)
        first, second = (answer_key(a.model, a.model_key, prompt.key, sample) for a in answers)
        battle = Battle(talk.key, prompt.key, first, second, talk.voter, talk.propensity)
        self._store.battles.add([battle])
        return battle

    def end(self, talk: Talk) -> None:
        """Forget a battle that was voted on."""
        self._store.talks.remove([talk.key])

    def _go_on(self, opened: Talk, then: Talk) -> None:
        """Keep what a turn came to, unless the battle went another way meanwhile."""
        if self.find(opened.key, opened.voter) == opened:
            self._store.talks.put([then])

    def _state(self, model: Model) -> Ready:
        try:
            self._store.check_model(model)
            found = availability(model)
        except ArenaError as error:
            return Ready(model, False, str(error))
        finally:
            self._store.close()
        return Ready(model, found.ready, found.detail)

    def _model(self, name: str) -> Model:
        for model in self.candidates():
            if model.name == name:
                return model
        raise BackendError(f"{name} is no longer among the models")


def side_by_side(
    models: list[Model],
    before: list[tuple[Message, ...]],
    text: str,
    seed: int,
    stop: threading.Event | None = None,
) -> Iterator[Asked]:
    """Both answers as they grow, and at the end whole.

    stop: when it is set, both models stop. Raises BackendError where one fails, and StoppedError.
    Neither is shown further than the slower one has come, so that nothing in the order or
    the pace of what appears tells one side from the other.
    """
    news: queue.SimpleQueue[tuple[int, Reply | BaseException]] = queue.SimpleQueue()
    stop = stop or threading.Event()

    def write(side: int) -> None:
        try:
            with open_backend(models[side]) as backend:
                request = Request((text,), seed, before=before[side])
                for reply in backend.stream(request):
                    if stop.is_set():
                        return
                    news.put((side, _aloud(models[side], reply)))
        except Exception as error:  # the thread's edge: it is raised again where replies are read
            news.put((side, error))

    for side in (0, 1):
        threading.Thread(target=write, args=(side,), daemon=True).start()
    replies = [Reply(("",), ("",)), Reply(("",), ("",))]
    shown = Glimpse("", "")
    try:
        while not all(reply.finish[-1] for reply in replies):
            for side, reply in _news(news, stop):
                if isinstance(reply, BackendError):
                    raise reply
                if isinstance(reply, BaseException):
                    raise BackendError(str(reply)) from reply
                replies[side] = reply
            if (now := together(*replies)) != shown:
                shown = now
                yield shown, None
        yield together(*replies), (replies[0], replies[1])
    finally:
        stop.set()


def _aloud(model: Model, reply: Reply) -> Reply:
    """A reply without its thinking; while it grows, the thinking stands apart, to be counted.

    Raises NoAnswerError if thinking is all that there is in the end.
    """
    if reply.finish[-1]:
        turns = tuple(turn.answer for turn in spoken(model, reply))
        return replace(reply, turns=turns, thinking=())
    (turn,) = taken_apart(reply)
    return replace(reply, turns=(turn.answer,), thinking=(turn.thinking,))


def together(first: Reply, second: Reply) -> Glimpse:
    """As much of both as both have written; the rest of the longer one once the other ended."""
    texts = first.turns[-1], second.turns[-1]
    ended = bool(first.finish[-1]), bool(second.finish[-1])
    if all(ended):
        return Glimpse(*texts, done=True)
    come = min((len(t) for t, end in zip(texts, ended, strict=True) if not end), default=0)
    if come:
        return Glimpse(texts[0][:come], texts[1][:come])
    return Glimpse("", "", thinking=max(len("".join(r.thinking[-1:])) for r in (first, second)))


def shorter(talk: Talk) -> Talk:
    """A battle as it was before its last turn, of which there will be one attempt more."""
    parts = ("turns", "first", "second", "first_finish", "second_finish")
    return replace(
        talk, attempts=talk.attempts + 1, **{name: getattr(talk, name)[:-1] for name in parts}
    )


def seed_of_talk(talk: Talk) -> int:
    """A number of the battle's own: it seeds its answers, and tells them from stored ones."""
    return int.from_bytes(talk.key.encode()[-6:]) + 1


def _news(
    news: "queue.SimpleQueue[tuple[int, Reply | BaseException]]", stop: threading.Event
) -> Iterator[tuple[int, Reply | BaseException]]:
    """All that has come within a tick; raises StoppedError once nobody waits for more."""
    if stop.is_set():
        raise StoppedError("both models were stopped")
    until = time.monotonic() + TICK
    while (left := until - time.monotonic()) > 0:
        try:
            yield news.get(timeout=left)
        except queue.Empty:
            return


def _conversation(turns: tuple[str, ...], said: tuple[str, ...]) -> tuple[Message, ...]:
    pairs = zip(turns, said, strict=True)
    return tuple(
        message
        for asked, answer in pairs
        for message in (Message("user", asked), Message("assistant", answer))
    )


def _answered(talk: Talk, first: Reply, second: Reply) -> Talk:
    return replace(
        talk,
        first=(*talk.first, first.turns[-1]),
        second=(*talk.second, second.turns[-1]),
        first_finish=(*talk.first_finish, first.finish[-1]),
        second_finish=(*talk.second_finish, second.finish[-1]),
    )


def _language(turns: tuple[str, ...]) -> str:
    return "zh" if any("\u4e00" <= c <= "\u9fff" for turn in turns for c in turn) else "en"
