"""Models that need no weights, for tests and for trying a configuration.

`fake:echo` answers with the words of the question, varied by temperature and seed.
As a judge, `fake:first` always prefers the first answer, `fake:longer` the longer one,
`fake:plain` the one with the larger share of everyday words, and `fake:mute` says nothing that can
be read. `fake:reader` finds the sentences that answer the
question at the end of a long text; `fake:edges` does too, and does not see the middle half.
`fake:echo@0.05` takes 0.05 s for each reply. To all of them a text is the likelier, the more
of its words were there before it; and as reward models all of them count an answer's characters.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import log

from arena.backends.base import (
    Availability,
    Backend,
    Intake,
    Odds,
    OddsRequest,
    Reply,
    Request,
    Result,
    RewardRequest,
    Rewards,
    TextOdds,
    TextRequest,
    cut_at,
)
from arena.backends.limits import Limits
from arena.records import Decoding, Model, Persona, Usage
from arena.records.errors import UnknownNameError

_ANSWER = re.compile(r"<(answer_([ab])(?:_\d+)?) (\w+)>\n(.*?)\n</\1 \3>", re.DOTALL)


def _echo(text: str, decoding: Decoding, seed: int) -> str:
    words = text.split()
    dice = random.Random(f"{seed}/{decoding.temperature}/{decoding.system}")
    if decoding.temperature > 0:
        dice.shuffle(words)
    return " ".join(words[: decoding.max_tokens])


def _first(text: str, decoding: Decoding, seed: int) -> str:
    return "The first is better. [[A]]" if _ANSWER.search(text) else "Good. [[7]]"


def _longer(text: str, decoding: Decoding, seed: int) -> str:
    lengths = Counter[str]()
    for _, slot, _, body in _ANSWER.findall(text):
        lengths[slot] += len(body)
    if lengths["a"] == lengths["b"]:
        return "Both say as much. [[C]]"
    return "[[A]]" if lengths["a"] > lengths["b"] else "[[B]]"


def _plain(text: str, decoding: Decoding, seed: int) -> str:
    share = {"a": 0.0, "b": 0.0}
    for _, slot, _, body in _ANSWER.findall(text):
        words = _WORD.findall(body.lower())
        share[slot] = sum(word in _EVERYDAY for word in words) / max(1, len(words))
    if share["a"] == share["b"]:
        return "Both are as plain. [[C]]"
    return "[[A]]" if share["a"] > share["b"] else "[[B]]"


def _mute(text: str, decoding: Decoding, seed: int) -> str:
    return "I would rather not say."


def _reader(text: str, decoding: Decoding, seed: int) -> str:
    """The sentences with words of the question that no other sentence has."""
    *body, question = text.strip().rsplit("\n", 1)
    sentences = [s for s in _SENTENCE.findall("".join(body)) if s.strip()]
    common = Counter(word for sentence in sentences for word in set(_WORD.findall(sentence)))
    wanted = set(_WORD.findall(question))

    unique = {word for word in wanted if common[word] == 1}
    return " ".join(s.strip() for s in sentences if unique & set(_WORD.findall(s)))


def _edges(text: str, decoding: Decoding, seed: int) -> str:
    *body, question = text.strip().rsplit("\n", 1)
    whole = "".join(body)
    quarter = len(whole) // 4
    return _reader(f"{whole[:quarter]} {whole[-quarter:]}\n{question}", decoding, seed)


_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")
_WORD = re.compile(r"[a-zA-Z0-9]+|[\u4e00-\u9fff]")
_EVERYDAY = {
    "the", "of", "and", "to", "a", "in", "is", "it", "you", "that", "for", "on", "are", "with",
    "as", "i", "be", "at", "this", "have", "from", "or", "by", "not", "but", "what", "all", "we",
    "when", "your", "can", "there", "an", "how", "their", "if", "will", "up", "about", "out",
    "many", "then", "them", "so", "some", "would", "make", "like", "him", "into", "has", "more",
    "no", "way", "could", "my", "than", "been", "who", "its", "now", "long", "get", "may",
}  # fmt: skip
_PERSONAS: dict[Persona, Callable[[str, Decoding, int], str]] = {
    Persona.ECHO: _echo,
    Persona.FIRST: _first,
    Persona.LONGER: _longer,
    Persona.PLAIN: _plain,
    Persona.MUTE: _mute,
    Persona.READER: _reader,
    Persona.EDGES: _edges,
}


class FakeBackend(Backend):
    """A persona with a pace; the same request always gets the same reply."""

    def __init__(self, model: Model) -> None:
        name, _, pace = model.weights.partition("@")
        if name not in _PERSONAS:
            raise UnknownNameError("fake model", name, _PERSONAS)
        self._say = _PERSONAS[Persona(name)]
        self._pace = float(pace or 0)
        self._decoding = model.decoding

    def converse(
        self, requests: Sequence[Request], intake: Intake | None = None
    ) -> Iterator[Result[Reply]]:
        """One reply at a time, in order."""
        for index in _one_by_one(len(requests), intake):
            yield [(index, self._reply(requests[index]))]

    def odds(
        self, requests: Sequence[OddsRequest], intake: Intake | None = None
    ) -> Iterator[Result[Odds]]:
        """Nine tenths of the mass on the option that the persona's text names last."""
        for index in _one_by_one(len(requests), intake):
            time.sleep(self._pace)
            request = requests[index]
            said = re.findall(r"\[\[(\w+)\]\]", self._say(request.text, self._decoding, 0))
            rest = 0.09 / max(1, len(request.options) - 1)
            logprobs = [log(0.9 if o in said else rest) for o in request.options]
            if not said:
                logprobs = [log(0.1 / len(request.options))] * len(request.options)
            yield [(index, Odds(tuple(logprobs), Usage(len(request.text.split()), 1)))]

    def likelihoods(
        self, requests: Sequence[TextRequest], intake: Intake | None = None
    ) -> Iterator[Result[TextOdds]]:
        """A word that was there costs a tenth of one that was not."""
        for index in _one_by_one(len(requests), intake):
            time.sleep(self._pace)
            request = requests[index]
            known = set(_WORD.findall(request.context))
            words = _WORD.findall(request.text)
            new = sum(word not in known for word in words)
            logprob = -new - 0.1 * (len(words) - new)
            usage = Usage(len(request.context.split()), len(words), self._pace)
            yield [(index, TextOdds(logprob, new == 0, len(words), usage=usage))]

    def rewards(
        self, requests: Sequence[RewardRequest], intake: Intake | None = None
    ) -> Iterator[Result[Rewards]]:
        """The characters of each answer."""
        for index in _one_by_one(len(requests), intake):
            time.sleep(self._pace)
            said = requests[index].conversations
            read = sum(len(message.content.split()) for talk in said for message in talk)
            values = tuple(float(len(talk[-1].content)) for talk in said)
            yield [(index, Rewards(values, Usage(read, 0, self._pace)))]

    def stream(self, request: Request) -> Iterator[Reply]:
        """Word by word, each at its share of the pace."""
        words = re.findall(r"\s*\S+", self._say(request.turns[0], self._decoding, request.seed))
        for count in range(1, len(words)):
            time.sleep(self._pace / len(words))
            yield Reply(("".join(words[:count]),), ("",))
        time.sleep(self._pace / max(1, len(words)))
        usage = Usage(len(request.turns[0].split()), len(words), self._pace)
        yield Reply(("".join(words),), ("stop",), usage)

    def _reply(self, request: Request) -> Reply:
        time.sleep(self._pace)
        turns = list(request.turns)
        said = (self._say(turn, self._decoding, request.seed) for turn in turns)
        texts = [cut_at(text, request.stop) for text in said]
        if request.follow_up and (more := request.follow_up(texts[-1], "stop")) is not None:
            turns.append(more)
            texts.append(self._say(more, self._decoding, request.seed))
        read = sum(len(turn.split()) for turn in turns)
        usage = Usage(read, sum(len(text.split()) for text in texts), self._pace)
        return Reply(tuple(texts), ("stop",) * len(texts), usage)


def _one_by_one(count: int, intake: Intake | None) -> Iterator[int]:
    intake = intake or Intake()
    return (index for index in range(count) if intake.admit([index]))


def open_backend(model: Model, limits: Limits) -> FakeBackend:
    """The fake that `model.weights` names."""
    return FakeBackend(model)


def availability(model: Model) -> Availability:
    """A fake is always ready."""
    FakeBackend(model)
    return Availability(True, "fake, for tests")
