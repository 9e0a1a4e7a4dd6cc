"""Which answer a text of a file is: one that is stored, or a new one and under which index."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from arena.interchange.exchange.entries import Compared, SaidText, Turns
from arena.interchange.turns import spoken
from arena.records import ABSENT, Answer, Model, Prompt, answer_key
from arena.store import Store

Ident = tuple[str, str, Turns | None, int | None]
UNKNOWN = ("",)


@dataclass(slots=True)
class Placed:
    """The keys of a chunk's answers.

    new: those that were stored now. refused: places and reasons.
    """

    new: set[str] = field(default_factory=set)
    refused: list[tuple[str, str]] = field(default_factory=list)
    _keys: dict[Ident, str] = field(default_factory=dict)
    _prompts: dict[int, str] = field(default_factory=dict)

    def prompt_key(self, prompt: Prompt) -> str:
        """The key of a prompt of this chunk, whose entries outlive this."""
        if id(prompt) not in self._prompts:
            self._prompts[id(prompt)] = prompt.key
        return self._prompts[id(prompt)]

    def ident(self, prompt: Prompt, text: SaidText) -> Ident:
        """What tells an answer of a file from others."""
        return text.model, self.prompt_key(prompt), text.turns, text.sample

    def key(self, prompt: Prompt, text: SaidText) -> str:
        """The key of an answer."""
        return self._keys[self.ident(prompt, text)]

    def keys(self, pair: Compared) -> tuple[str, str]:
        """The keys of both answers of a pair."""
        return self.key(pair.prompt, pair.first), self.key(pair.prompt, pair.second)

    def is_bad(self, prompt: Prompt, text: SaidText) -> bool:
        """Whether it was refused."""
        return self.ident(prompt, text) not in self._keys


def place_answers(store: Store, said: Sequence[tuple[str, Prompt, SaidText, Model]]) -> Placed:
    """Find or store the answers of a chunk, and say which keys they have.

    A text that names its index is that answer; where another text is stored as that one, it is
    refused, because judgements are of what is stored. One without an index is the stored answer
    with this text, else the next. What a file tells of without its text is the first answer.
    """
    placed = Placed()
    waiting: dict[Ident, tuple[str, Prompt, SaidText, Model]] = {}
    for one in said:
        waiting.setdefault(placed.ident(one[1], one[2]), one)
    distinct = {model.name: model for _, _, _, model in waiting.values()}
    models = {name: model.key for name, model in distinct.items()}
    fresh: dict[str, Answer] = {}
    sample = 0
    while waiting:
        keys = {
            ident: answer_key(model.name_in_keys, models[model.name], ident[1], _at(text, sample))
            for ident, (_, _, text, model) in waiting.items()
        }
        stored = store.answers.get(set(keys.values()) - fresh.keys())
        for ident, (where, prompt, text, model) in list(waiting.items()):
            key = keys[ident]
            there = fresh.get(key) or stored.get(key)
            if there is None:
                known = models[model.name], ident[1]
                fresh[key] = _answer(known, text, model, _at(text, sample))
                placed.new.add(key)
            elif not _is_same(there, text):
                if text.sample is not None:
                    placed.refused.append((where, _other(there, text, prompt)))
                    del waiting[ident]
                continue
            placed._keys[ident] = key
            del waiting[ident]
        sample += 1
    store.answers.add(fresh.values())
    return placed


def _at(text: SaidText, sample: int) -> int:
    return sample if text.sample is None else text.sample


def _is_same(there: Answer, text: SaidText) -> bool:
    """Whether a stored answer is the one that a file tells of."""
    return text.turns is None or there.turns == spoken(text.turns)[0]


def _other(there: Answer, text: SaidText, prompt: Prompt) -> str:
    if there.is_absent:
        return (
            f"the answer of {text.model} to {prompt.name} is stored without its text, which cannot "
            "be added later; import all files together into a new database"
        )
    return (
        f"another answer of {text.model} to {prompt.name} is stored already; "
        f"--rename {text.model}=NAME keeps them apart"
    )


def _answer(keys: tuple[str, str], text: SaidText, model: Model, sample: int) -> Answer:
    """A new answer. keys: of the model and of the prompt, which cost time to make."""
    absent = text.turns is None
    finish = (ABSENT,) if absent else text.finish or ("stop",) * len(text.turns or ())
    turns, thinking = spoken(text.turns or UNKNOWN)
    return Answer(
        model.name,
        *keys,
        turns,
        finish,
        text.usage,
        sample,
        text.thinking or thinking,
        model.first_name or "",
    )
