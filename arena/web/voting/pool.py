"""What may be shown, and which of it next: pairs that would tell most about the ranking.

All of it is derived from the store and kept in memory, so that a request costs neither a pass
over the answers nor a fit. What changed is read in: new votes as counts, everything else anew.
"""

import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

from arena.leaderboard.evidence.tallies import Tallies
from arena.ratings import Comparisons, NextPair, Prospect, Settling, next_pairs, prospect, settling
from arena.records.errors import InputError
from arena.store import Store, StoreVersion
from arena.store.columns import VotesUntil

BATCH = 32
# Seconds for which what was read is good enough.
REST = 0.1
# Pairs of a batch that are tried before all pairs are searched for one that is new to a voter.
TRIES = 6
VOTES_PER_MODEL = 5
# A difference that would take so many times the votes there are is smaller than its own error by
# far, and so is what is known of the votes that it would take.
FORESEEN = 10


class NothingToShowError(InputError):
    """No two models have answered the same prompt. seen: this voter has seen all there is."""

    def __init__(self, seen: bool = False) -> None:
        super().__init__("nothing to vote on")
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two answers to one prompt, and the probability with which they were drawn."""

    prompt: str
    first: str
    second: str
    propensity: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the votes have come.

    told: those on models that may be shown. missing: votes on them until a ranking tells anything,
    else 0. settling, prospect: None where all are told apart.
    """

    votes: int
    told: int
    missing: int
    settling: Settling | None
    prospect: Prospect | None = None

    @property
    def is_foreseen(self) -> bool:
        """Whether the votes there are tell how many more would settle the next thing."""
        return self.settling is not None and self.settling.votes <= FORESEEN * self.told


class Pool:
    """Threads may share it."""

    def __init__(self, store: Store, dice: random.Random | None = None, rest: float = REST) -> None:
        self._store = store
        self._rest = rest
        self._rests_until = 0.0
        self._dice = dice or random.SystemRandom()
        self._turn = threading.RLock()
        self._shown: dict[str, dict[str, str]] = {}
        self._keys: frozenset[str] = frozenset()
        self._pairs: list[tuple[str, str]] = []
        self._tallies = Tallies()
        self._until = VotesUntil()
        self._batch: deque[NextPair] = deque()
        self._fitted: tuple[int, Settling | None, Prospect | None] = (-1, None, None)
        self._version = StoreVersion()

    def draw(self, voter: str, worn: Collection[str] = ()) -> Drawn:
        """A pair that this voter was never shown, sides at random.

        worn: keys of prompts that are drawn only where a pair has no other. Raises
        NothingToShowError where there is no pair.
        """
        seen = self._store.evidence.pairs_shown_to(voter)
        with self._turn:
            self._read()
            if not self._pairs:
                raise NothingToShowError
            for _ in range(TRIES):
                pair = self._next()
                prompts = _fresh(self._unseen(pair.model_a, pair.model_b, seen), worn)
                if prompts:
                    return self._of(pair, self._dice.choice(prompts), len(prompts))
            return self._any(seen, worn)

    def answer(self, voter: str, worn: Collection[str] = ()) -> tuple[str, str]:
        """A prompt's key and the key of an answer that this voter was never shown alone.

        worn: keys of prompts that are drawn only where there is no other. Raises
        NothingToShowError where there is no answer.
        """
        shown = self._store.evidence.answers_shown_to(voter)
        with self._turn:
            self._read()
            prompts: defaultdict[str, list[str]] = defaultdict(list)
            for answers in self._shown.values():
                for prompt, answer in answers.items():
                    if answer not in shown:
                        prompts[prompt].append(answer)
            if not prompts:
                raise NothingToShowError(seen=bool(shown))
            fresh = _fresh(sorted(prompts), worn)
            # Grades compare within a prompt, so one that was begun goes first.
            begun = [p for p in fresh if len(prompts[p]) < self._asked(p)]
            prompt = self._dice.choice(begun or fresh)
            return prompt, self._dice.choice(prompts[prompt])

    def models(self) -> list[str]:
        """The models whose answers may be shown."""
        with self._turn:
            self._read()
            return sorted(self._shown)

    def shared(self, a: str, b: str) -> list[str]:
        """Keys of the prompts that both answered and that may be shown."""
        with self._turn:
            self._read()
            return sorted(self._shown.get(a, {}).keys() & self._shown.get(b, {}).keys())

    def answer_of(self, model: str, prompt: str) -> str | None:
        """The key of a model's answer that may be shown."""
        with self._turn:
            self._read()
            return self._shown.get(model, {}).get(prompt)

    def shows(self, *answers: str) -> bool:
        """Whether all of these answers, by key, may be shown."""
        with self._turn:
            self._read()
            return self._keys.issuperset(answers)

    def standing(self, anew: bool = False) -> Standing:
        """How far the votes have come, for the sentence on the page. anew: up to now."""
        with self._turn:
            self._read(anew)
            try:
                among = self._comparisons()
            except InputError:  # no votes between these models yet
                return Standing(self._tallies.votes, 0, VOTES_PER_MODEL * len(self._shown), None)
            told = int(among.pair_counts.played.sum()) // 2
            missing = max(0, VOTES_PER_MODEL * len(self._shown) - told)
            if not missing and abs(told - self._fitted[0]) >= max(1, told // 100):
                self._fitted = told, settling(among), prospect(among, allowed=self._pairs)
            step, next_votes = (None, None) if missing else self._fitted[1:]
            return Standing(self._tallies.votes, told, missing, step, next_votes)

    def _read(self, anew: bool = False) -> None:
        """Take in what is new in the store. anew: however lately it was read."""
        now = time.monotonic()
        if now < self._rests_until and not anew:
            return
        self._rests_until = now + self._rest
        version = self._store.version()
        if version == self._version:
            return
        until = self._store.evidence.votes_until()
        if until != self._until:
            cast, taken_back = self._store.evidence.changes(self._until, until)
            self._tallies.add(cast)
            self._tallies.subtract(taken_back)
            self._until = until
        if version.shown != self._version.shown:
            self._read_answers()
        self._version = version

    def _read_answers(self) -> None:
        paused, hidden = self._store.withheld("model"), self._store.withheld("prompt")
        shown: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for model, prompt, key in self._store.evidence.shown_answers():
            if model not in paused and prompt not in hidden:
                shown[model][prompt] = key
        self._shown = dict(shown)
        self._keys = frozenset(key for answers in shown.values() for key in answers.values())
        self._pairs = [
            (a, b) for a, b in combinations(sorted(shown), 2) if shown[a].keys() & shown[b].keys()
        ]
        self._batch.clear()

    def _next(self) -> NextPair:
        if not self._batch:
            try:
                seed = self._dice.getrandbits(63)
                self._batch.extend(
                    next_pairs(self._comparisons(), BATCH, seed=seed, allowed=self._pairs)
                )
            except InputError:  # no votes between these models yet: all pairs alike
                chosen = self._dice.choices(self._pairs, k=BATCH)
                self._batch.extend(NextPair(a, b, 1 / len(self._pairs)) for a, b in chosen)
        return self._batch.popleft()

    def _comparisons(self) -> Comparisons:
        return self._tallies.comparisons(self._shown)

    def _unseen(self, a: str, b: str, seen: set[frozenset[str]]) -> list[str]:
        one, other = self._shown[a], self._shown[b]
        shared = sorted(one.keys() & other.keys())
        return [prompt for prompt in shared if frozenset((one[prompt], other[prompt])) not in seen]

    def _any(self, seen: set[frozenset[str]], worn: Collection[str]) -> Drawn:
        """A pair that is new to a voter who has seen nearly all, each as likely as the other."""
        left = [(a, b, prompt) for a, b in self._pairs for prompt in self._unseen(a, b, seen)]
        left = [pair for pair in left if pair[2] not in worn] or left
        if not left:
            raise NothingToShowError(seen=True)
        a, b, prompt = self._dice.choice(left)
        return self._of(NextPair(a, b, 1.0), prompt, len(left))

    def _of(self, pair: NextPair, prompt: str, among: int) -> Drawn:
        sides = [self._shown[pair.model_a][prompt], self._shown[pair.model_b][prompt]]
        self._dice.shuffle(sides)
        return Drawn(prompt, sides[0], sides[1], pair.propensity / among)

    def _asked(self, prompt: str) -> int:
        return sum(prompt in answers for answers in self._shown.values())


def _fresh(prompts: list[str], worn: Collection[str]) -> list[str]:
    """The prompts that are not worn, or all where all are."""
    return [prompt for prompt in prompts if prompt not in worn] or prompts
