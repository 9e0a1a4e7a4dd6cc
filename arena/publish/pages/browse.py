"""Prompts to browse, cut so that a large database makes a light site."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from arena.publish.examples import ANSWERS, Example, example_of, public_prompts, systems_of
from arena.publish.said import Sayings
from arena.records import Prompt
from arena.store import Store

FOLDER = "browse"
PROMPTS = 1000  # at most; the same share of each category and language
ON_PAGE = 25
CHARACTERS = 1500  # of each text
_TITLE = 120


@dataclass(frozen=True, slots=True)
class Listed:
    """A prompt in the list of all. answers: how many models answered it."""

    prompt: Prompt
    answers: int
    page: int

    @property
    def title(self) -> str:
        """How it begins, on one line; its name, where no text of it is here."""
        if self.prompt.is_absent:
            return self.prompt.name
        words = " ".join(self.prompt.turns[0].split())
        return words if len(words) <= _TITLE else f"{words[:_TITLE]}…"

    @property
    def link(self) -> str:
        """Where it stands."""
        return f"{FOLDER}/{self.page}.html#{self.prompt.key[:12]}"


@dataclass(frozen=True, slots=True)
class PromptList:
    """What there is to browse. step: every so many prompts one is here. left_out: how many not."""

    entries: tuple[Listed, ...]
    step: int
    left_out: int

    @property
    def pages(self) -> int:
        """How many pages the prompts fill."""
        return -(-len(self.entries) // ON_PAGE)


def prompt_list(store: Store) -> PromptList:
    """The public prompts that have an answer with a text, by category, language and name."""
    counts = Counter(prompt for _, prompt, _ in store.evidence.shown_answers())
    found = sorted(
        (prompt for prompt in public_prompts(store) if counts[prompt.key]),
        key=lambda p: (p.category, p.language, p.name, p.key),
    )
    step = max(1, -(-len(found) // PROMPTS))
    taken = found[::step]
    entries = (
        Listed(prompt, counts[prompt.key], 1 + place // ON_PAGE)
        for place, prompt in enumerate(taken)
    )
    return PromptList(tuple(entries), step, len(found) - len(taken))


def examples_by_page(
    store: Store, listed: PromptList, models: Sequence[str]
) -> Iterator[list[Example]]:
    """The prompts of each page with their answers. models: best first, before all others."""
    hidden, entries = store.withheld("model"), iter(listed.entries)
    systems, sayings = systems_of(store), Sayings(store)
    places = {name: place for place, name in enumerate(models)}
    while part := list(islice(entries, ON_PAGE)):
        found = []
        for one in part:
            answers = [
                answer
                for answer in store.answers.where(prompt_key=one.prompt.key, sample=0)
                if not answer.is_absent and answer.model not in hidden
            ]
            answers.sort(key=lambda a: (places.get(a.model, len(places)), a.model))
            said = sayings.of(one.prompt, answers, ANSWERS)
            found.append(replace(example_of(one.prompt, answers, systems, CHARACTERS), said=said))
        yield found
