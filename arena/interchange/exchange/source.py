"""A store as entries, for whoever writes files: what each row says, with the texts it is about."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from arena.interchange.exchange.entries import Compared, SaidText, ScoredAnswer
from arena.interchange.exchange.masking import redacted
from arena.interchange.exchange.outgoing import Written
from arena.leaderboard.evidence.counted_judgements import current_cards
from arena.records import Answer, Preference, Prompt, Score, Verdict, Vote, Winner
from arena.store import Store

AT_ONCE = 500
WINNERS = {
    Preference.A: Winner.MODEL_A,
    Preference.B: Winner.MODEL_B,
    Preference.TIE: Winner.TIE,
    Preference.UNPARSED: None,
}
J = TypeVar("J", Verdict, Score)
R = TypeVar("R", Vote, Verdict, Score)
EARLIER = "they are of an earlier card of their judge"
WITHHELD = "their prompt or a model is withheld"
AGAIN = "the judge was asked again since"
NO_PLACE = "the format has no place for them"
# What a statement may have beside who won, by its field: what it is called.
PARTS = {
    "propensity": "propensities",
    "seconds": "times of voting",
    "odds": "probabilities",
    "words": "replies of judges",
}
_TABLES = ("votes", "verdicts", "scores", "rankings", "grades", "outcomes")


@dataclass(frozen=True, slots=True)
class BothOrders:
    """A judge's verdicts on one pair. back: None where the other order was not asked."""

    forward: Compared
    back: Compared | None


@dataclass(slots=True)
class Outgoing:
    """What of a store goes out, and how.

    voters: with the voters' hashes; without, they are numbered. comments: with what voters wrote.
    redact: without e-mail addresses, telephone numbers and keys in any text. baseline: the model
    that formats with one compare the others with. parquet: whether a folder of tables is of it.
    public: without prompts and models that are withheld.
    """

    store: Store
    voters: bool = False
    comments: bool = False
    redact: bool = False
    baseline: str | None = None
    parquet: bool = False
    public: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _parts: Counter[str] = field(default_factory=Counter)
    _dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    _shared: set[str] | None = None
    _hidden: tuple[set[str], set[str]] | None = None

    def text(self, text: str) -> str:
        """A text as it goes out."""
        return redacted(text) if self.redact else text

    def voter(self, voter: str) -> str:
        """A voter as it goes out: by number, in the order in which they come."""
        if self.voters:
            return voter
        return f"voter-{self._numbers.setdefault(voter, len(self._numbers) + 1)}"

    def tell(self, written: Written, keeps: Collection[str]) -> None:
        """Count what a format has left out of what it was given, and of what it did not ask for.

        keeps: those of `PARTS` that the format has a place for.
        """
        for (what, why), count in self._dropped.items():
            written.leave_out(count, what, why)
        for name, what in PARTS.items():
            written.leave_out(0 if name in keeps else self._parts[name], what, NO_PLACE)
        told = {what for what, _ in written.left_out}
        for table in _TABLES:
            if table not in self._asked | told:
                written.leave_out(getattr(self.store, table).count(), table, NO_PLACE)

    def prompts(self) -> Iterator[Prompt]:
        """All prompts."""
        return map(self._prompt, self.store.prompts.where())

    def answers(self) -> Iterator[tuple[Prompt, list[SaidText]]]:
        """The answers to each prompt that are here with their texts."""
        for prompt in self.store.prompts.where():
            found = self.store.answers.where(prompt_key=prompt.key)
            texts = [
                self._text(answer)
                for answer in found
                if not answer.is_absent and self._is_shown(prompt.key, answer.model)
            ]
            if texts:
                yield self._prompt(prompt), texts

    def votes(self) -> Iterator[Compared]:
        """The votes that stand."""
        return self._votes(self.store.votes.where())

    def said_of(self, first: str, second: str) -> Iterator[Compared]:
        """What was said of two answers in either order: votes, then the latest verdicts."""
        orders = ((first, second), (second, first))
        for one, other in orders:
            yield from self._votes(self.store.votes.where(first=one, second=other))
        for one, other in orders:
            yield from self._verdicts(self.store.verdicts.where(first=one, second=other))

    def _votes(self, votes: Iterable[Vote]) -> Iterator[Compared]:
        self._asked.add("votes")
        for vote, prompt, (first, second) in self._joined(votes, _pair):
            self._parts["propensity"] += vote.propensity is not None
            self._parts["seconds"] += vote.seconds is not None
            yield Compared(
                prompt,
                first,
                second,
                vote.winner,
                self.voter(vote.voter),
                is_vote=True,
                propensity=vote.propensity,
                seconds=vote.seconds,
            )

    def verdicts(self) -> Iterator[Compared]:
        """The latest verdicts of each judge's latest card, both orders apart."""
        return self._verdicts(self.store.verdicts.where())

    def _verdicts(self, verdicts: Iterable[Verdict]) -> Iterator[Compared]:
        kept = (v for v in self._current(verdicts, "verdicts") if self._stands(v))
        for verdict, prompt, (first, second) in self._joined(kept, _pair):
            yield self._verdict(verdict, prompt, first, second)

    def both_orders(self) -> Iterator[BothOrders]:
        """The same, the two orders of a pair together."""
        done: set[str] = set()
        rows = self._current(self.store.verdicts.where(), "verdicts")
        kept = (v for v in rows if self._stands(v))
        for verdict, prompt, (first, second) in self._joined(kept, _pair):
            if verdict.key in done:
                done.discard(verdict.key)
                continue
            other = self._last(verdict, verdict.second, verdict.first)
            if other is not None:
                done.add(other.key)
            back = None if other is None else self._verdict(other, prompt, second, first)
            yield BothOrders(self._verdict(verdict, prompt, first, second), back)

    def scores(self) -> Iterator[ScoredAnswer]:
        """The scores of each judge's latest card."""
        rows = self._current(self.store.scores.where(), "scores")
        for score, prompt, (text,) in self._joined(rows, lambda s: (s.answer,)):
            yield ScoredAnswer(
                prompt, text, score.value, score.judge, self.text(score.text), score.turn
            )

    def _current(self, rows: Iterable[J], table: str) -> Iterator[J]:
        """The rows of each judge's latest card; the others are counted."""
        self._asked.add(table)
        read = self.store.evidence.verdicts if table == "verdicts" else self.store.evidence.scores
        latest = current_cards(read())
        for row in rows:  # two judges of one card are one judge to the ranking, by either's name
            if latest.get(row.judge, row.judge_key) == row.judge_key:
                yield row
            else:
                self._dropped[table, EARLIER] += 1

    def _stands(self, verdict: Verdict) -> bool:
        """Whether it is the latest reading of its pair in its order; one that is not is counted."""
        stands = self._last(verdict, verdict.first, verdict.second) == verdict
        self._dropped["verdicts", AGAIN] += not stands
        return stands

    def _last(self, verdict: Verdict, first: str, second: str) -> Verdict | None:
        """The latest reading of a pair in this order."""
        found = self.store.verdicts.where(
            judge_key=verdict.judge_key,
            first=first,
            second=second,
            turn=verdict.turn,
            sample=verdict.sample,
        )
        return ([None, *found])[-1]

    def _joined(
        self, rows: Iterable[R], answers: Callable[[R], tuple[str, ...]]
    ) -> Iterator[tuple[R, Prompt, tuple[SaidText, ...]]]:
        """Rows with their prompt and answers, some hundred at once."""
        rows = iter(rows)
        while chunk := list(islice(rows, AT_ONCE)):
            prompts = self.store.prompts.get({row.prompt_key for row in chunk})
            texts = self.store.answers.get({key for row in chunk for key in answers(row)})
            for row in chunk:
                given = [texts[key] for key in answers(row)]
                if not self._is_shown(row.prompt_key, *(answer.model for answer in given)):
                    self._dropped["votes, verdicts and scores", WITHHELD] += 1
                    continue
                said = tuple(map(self._text, given))
                yield row, self._prompt(prompts[row.prompt_key]), said

    def _is_shown(self, prompt_key: str, *models: str) -> bool:
        """Whether nothing of it is withheld from the public, if that is who it is for."""
        if not self.public:
            return True
        if self._hidden is None:
            self._hidden = self.store.withheld("prompt"), self.store.withheld("model")
        prompts, hidden = self._hidden
        return prompt_key not in prompts and hidden.isdisjoint(models)

    def _prompt(self, prompt: Prompt) -> Prompt:
        """As it goes out; where several prompts have one name, each gets one of its own."""
        if self._shared is None:
            names = Counter(one.name for one in self.store.prompts.where())
            self._shared = {name for name, count in names.items() if count > 1}
        name = f"{prompt.name}-{prompt.key[:8]}" if prompt.name in self._shared else prompt.name
        if not self.redact:
            return replace(prompt, name=name) if name != prompt.name else prompt
        turns = tuple(map(redacted, prompt.turns))
        told = tuple(map(redacted, prompt.references))
        return replace(prompt, name=name, turns=turns, references=told)

    def _text(self, answer: Answer) -> SaidText:
        turns = None if answer.is_absent else tuple(map(self.text, answer.turns))
        return SaidText(answer.model, turns, answer.sample, answer.finish, (), answer.usage)

    def _verdict(
        self, verdict: Verdict, prompt: Prompt, first: SaidText, second: SaidText
    ) -> Compared:
        p, q, t = verdict.p_first, verdict.p_second, verdict.p_tie
        self._parts["odds"] += p is not None and q is not None
        self._parts["words"] += bool(verdict.text)
        return Compared(
            prompt,
            first,
            second,
            WINNERS[verdict.preference],
            verdict.judge,
            is_vote=False,
            odds=None if p is None or q is None else (p, q, t or 0.0),
            words=self.text(verdict.text),
            slight=verdict.slight,
            turn=verdict.turn,
        )


def _pair(row: Vote | Verdict) -> tuple[str, ...]:
    return row.first, row.second
