"""What a voter must not learn yet: who wrote the answers to what this voter has open to judge.

Open are the last stored pair and the last single answer that were shown to the voter, until they
are judged or another takes their place, and live battles. The next pair is drawn together with
the answer to a vote, so it is open before it is seen. Without our cookie nobody has anything open.
"""

import threading
import unicodedata
from collections import OrderedDict, deque
from dataclasses import dataclass

from arena.config import Browse
from arena.records import LIVE, Prompt
from arena.store import Store
from arena.web.catalogue import CatalogueEntry
from arena.web.security.voters import TOKEN_SECONDS, Visitor

# Bytes. A shorter text that stands within another is no sign that both ask the same.
LEAST = 12
MOST_COMPARED = 10_000
# What is remembered of whom: of more voters or prompts than this the oldest are forgotten.
MOST_VOTERS, MOST_PROMPTS = 5_000, 1_000


@dataclass(frozen=True, slots=True)
class Open:
    """What a voter has open.

    keys: of the stored prompts. asked: first turns, see `essence`; a later one asks the same only
    after the same beginning. texts: as `Entry.text` has them.
    """

    keys: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def has(self, prompt: Prompt) -> bool:
        """Whether a prompt is open, or one that begins with the same words.

        Of a live battle, which anybody may have begun with a few words more or less, any turn
        that asks what is open.
        """
        if prompt.source == LIVE and any(map(self.echoes, prompt.turns)):
            return True
        return prompt.key in self.keys or essence(prompt.turns[0]) in self.asked

    def has_entry(self, entry: CatalogueEntry) -> bool:
        """As `has`, of a prompt in the list."""
        if entry.live and self.echoes(entry.text):
            return True
        return entry.key in self.keys or entry.text in self.texts

    def echoes(self, text: str) -> bool:
        """Whether a text asks what is open, with a few words more or less."""
        given = essence(text).encode()
        for asked in self.asked:
            short, long = sorted((given, asked.encode()), key=len)
            if short == long or (len(short) >= LEAST and short in long):
                return True
        return False


class Blind:
    """Threads may share it."""

    def __init__(self, store: Store, browse: Browse) -> None:
        self._store = store
        self._browse = browse
        self._turn = threading.Lock()
        self._known: OrderedDict[str, deque[str]] = OrderedDict()

    @property
    def is_closed(self) -> bool:
        """Whether this arena shows nobody who wrote which stored answer."""
        return self._browse is Browse.NOBODY

    def open_to(self, visitor: Visitor) -> Open:
        """What a visitor has open; nothing where the arena shows everything always."""
        if visitor.voter is None or self._browse is Browse.ALWAYS:
            return Open()
        shown = [
            table.open_to(visitor.voter, TOKEN_SECONDS)
            for table in (self._store.battles, self._store.showings)
        ]
        keys = frozenset(row.prompt_key for row in shown if row is not None)
        turns = [prompt.turns for prompt in self._store.prompts.get(keys).values()]
        talks = self._store.talks.recent(TOKEN_SECONDS, voter=visitor.voter)
        turns += [talk.turns for talk in talks]
        return Open(
            keys,
            frozenset(essence(asked[0]) for asked in turns if asked),
            frozenset(" ".join(asked).casefold() for asked in turns),
        )

    def why_not(self, visitor: Visitor, prompt: Prompt) -> str | None:
        """The word of the sentence why a prompt's answers are not shown with names, if so."""
        if self.is_closed:
            return "browse_closed"
        return "still_open" if self.open_to(visitor).has(prompt) else None

    def learned(self, visitor: Visitor, prompt_key: str) -> None:
        """Remember that a visitor was told who answered a prompt."""
        if visitor.voter is None:
            return
        with self._turn:
            known = self._known.setdefault(visitor.voter, deque(maxlen=MOST_PROMPTS))
            if prompt_key not in known:
                known.append(prompt_key)
            self._known.move_to_end(visitor.voter)
            while len(self._known) > MOST_VOTERS:
                self._known.popitem(last=False)

    def worn(self, visitor: Visitor) -> frozenset[str]:
        """Keys of prompts that are better not shown next: their answers have names already,
        or something else of them is open.
        """
        with self._turn:
            known = frozenset(self._known.get(visitor.voter or "", ()))
        return known | self.open_to(visitor).keys


def essence(text: str) -> str:
    """The beginning of a text without case, width, blanks and punctuation."""
    plain = unicodedata.normalize("NFKC", text[:MOST_COMPARED]).casefold()
    return "".join(filter(str.isalnum, plain)) or "".join(plain.split())
