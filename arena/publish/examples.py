"""A few prompts with the answers beside each other, for a reader to judge by eye."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.publish.said import Said
from arena.records import LIVE, Answer, Note, Prompt
from arena.store import Store

PROMPTS = 6
ANSWERS = 6
CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class ExampleReply:
    """What one model said in one turn. left_out: characters that are not shown.

    system: the text that stood before the conversation, said at its first turn.
    """

    model: str
    system: str
    text: str
    left_out: int
    finish: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked, what should come (empty if nobody said), and what came."""

    question: str
    reference: str
    replies: tuple[ExampleReply, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt with the answers of the best-ranked models. hidden: models not shown. said: of the
    answers that are, where that was asked for.
    """

    prompt: Prompt
    turns: tuple[Turn, ...]
    hidden: int
    said: Said | None = None

    @property
    def no_text(self) -> Note | None:
        """What stands for the question where the import had no text of it."""
        absent = Note.of("prompt.absent", name=self.prompt.name)
        return absent if self.prompt.is_absent else None


def examples(store: Store, models: Sequence[str]) -> list[Example]:
    """Up to PROMPTS prompts of varied category and language, the same for the same store.

    models: best first; each prompt shows the first ANSWERS of them that answered it.
    """
    picked: list[Example] = []
    hidden, systems = store.withheld("model"), systems_of(store)
    for prompt in _varied(store, fewest=min(2, len(models))):
        if len(picked) == PROMPTS:
            break
        here = store.answers.where(prompt_key=prompt.key, sample=0)
        given = {a.model: a for a in here if not a.is_absent and a.model not in hidden}
        answers = [given[model] for model in models if model in given]
        if answers:
            picked.append(example_of(prompt, answers, systems))
    return picked


def systems_of(store: Store) -> dict[str, str]:
    """The system text of each model that has one."""
    return {m.name: m.decoding.system for m in store.models() if m.decoding.system}


def public_prompts(store: Store) -> list[Prompt]:
    """Without those that are withheld, and without what visitors asked in live battles."""
    withheld = store.withheld("prompt")
    return [p for p in store.prompts.where() if p.source != LIVE and p.key not in withheld]


def _varied(store: Store, fewest: int) -> Iterator[Prompt]:
    """Prompts with answers, each time the one whose category and language were shown least."""
    prompts = public_prompts(store)
    count = {p: store.answers.count(prompt_key=p.key, sample=0) for p in prompts}
    rest = [prompt for prompt, answers in count.items() if answers >= max(fewest, 1)]
    shown: Counter[tuple[str, str]] = Counter()
    while rest:
        prompt = min(
            rest,
            key=lambda p: (
                shown["category", p.category],
                shown["language", p.language],
                -count[p],
                p.name,
                p.key,
            ),
        )
        rest.remove(prompt)
        shown.update([("category", prompt.category), ("language", prompt.language)])
        yield prompt


def example_of(
    prompt: Prompt,
    answers: Sequence[Answer],
    systems: Mapping[str, str],
    characters: int = CHARACTERS,
) -> Example:
    """A prompt with the first of the answers. systems: by model. characters: of each text."""
    turns = []
    for index, question in enumerate(prompt.turns):
        reference = prompt.references[index] if index < len(prompt.references) else ""
        replies = (
            _reply(a, index, systems.get(a.model, "") if index == 0 else "", characters)
            for a in answers[:ANSWERS]
            if index < len(a.turns)
        )
        turns.append(Turn(question, reference, tuple(replies)))
    return Example(prompt, tuple(turns), max(0, len(answers) - ANSWERS))


def _reply(answer: Answer, index: int, system: str, most: int) -> ExampleReply:
    text = answer.turns[index]
    finish = answer.finish[index] if index < len(answer.finish) else ""
    return ExampleReply(answer.model, system, text[:most], max(0, len(text) - most), finish)
