"""What there is to browse: prompts with what was said of them, and benchmarks' outcomes."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arena.benchmarks.items.known import known_items
from arena.benchmarks.items.reading import Item
from arena.config import Config
from arena.judging.report_card.orders import majority
from arena.leaderboard.board import Policy, policy_of
from arena.leaderboard.evidence.counted_judgements import current_cards
from arena.leaderboard.evidence.counted_judges import is_fit
from arena.leaderboard.evidence.gathering import Gathered, gather
from arena.records import (
    LIVE,
    Answer,
    Grade,
    Note,
    Outcome,
    Preference,
    Prompt,
    Remark,
    Report,
    Score,
    Verdict,
    Vote,
)
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.columns import VerdictColumns

# What an admin may take out as a file, by the name of its table.
EXPORTS = {
    "votes": Vote,
    "grades": Grade,
    "remarks": Remark,
    "reports": Report,
    "answers": Answer,
    "prompts": Prompt,
}
LINE = 160
PAGE = 20
LABELS = {"model_a": "A", "model_b": "B"}
MIRRORED = {"A": "B", "B": "A"}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A prompt in the list. verdicts: that count, as in the ranking. split: in which share of
    them, on pairs that people decided, a judge takes the opposite side; 0 where there are none.
    turned: a judge's two orders disagree on some pair. live: asked in a live battle. absent: the
    import had no text of it.
    """

    key: str
    line: str
    text: str
    category: str
    language: str
    models: frozenset[str]
    judges: frozenset[str]
    answers: int
    votes: int
    verdicts: int
    split: float
    turned: bool
    live: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to browse. entries: in the order of the store. cards: by judge that counts,
    the key of the card whose verdicts count. left_out: by judge that the ranking leaves out, the
    word that says why. objections: by judge that is too weak to rank by, counted or not, why.
    """

    entries: tuple[CatalogueEntry, ...]
    cards: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    objections: Mapping[str, Note] = field(default_factory=dict)

    def aside(self, judge: str, card: str = "") -> str:
        """The word that says why what a judge says does not count; empty where it does.

        card: with which it compared a pair; empty for what it said otherwise.
        """
        is_older = bool(card) and self.cards.get(judge, card) != card
        return self.left_out.get(judge) or ("older_card" if is_older else "")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; what is empty lets all through. only: `split`, `turned` or both."""

    search: str = ""
    model: str = ""
    judge: str = ""
    category: str = ""
    language: str = ""
    only: tuple[str, ...] = ()

    @property
    def names_somebody(self) -> bool:
        """Whether what it lets through says who answered, or how they were judged."""
        return bool(self.model or self.judge or self.only)

    def lets(self, entry: CatalogueEntry) -> bool:
        """Whether an entry is wanted."""
        return (
            self.search.strip().casefold() in entry.text
            and (not self.model or self.model in entry.models)
            and (not self.judge or self.judge in entry.judges)
            and (not self.category or self.category == entry.category)
            and (not self.language or self.language == entry.language)
            and all(getattr(entry, name) for name in self.only)
        )


@dataclass(frozen=True, slots=True)
class Detail:
    """All that there is on one prompt. absent: the answers of which the import had no text."""

    prompt: Prompt
    answers: tuple[Answer, ...]
    absent: tuple[Answer, ...]
    votes: tuple[Vote, ...]
    verdicts: tuple[Verdict, ...]
    scores: tuple[Score, ...]
    grades: tuple[Grade, ...]


@dataclass(frozen=True, slots=True)
class ItemOutcomes:
    """One item of a benchmark. version: of the benchmark. item: the question, where it is known."""

    name: str
    version: str
    outcomes: tuple[Outcome, ...]
    item: Item | None

    def has(self, search: str) -> bool:
        """Whether a text stands in its name or its question, whatever the case."""
        text = f"{self.name}\n{self.item.question if self.item else ''}"
        return search.strip().casefold() in text.casefold()


def catalogue(store: Store, _: str = "", config: Config | None = None) -> Catalogue:
    """Every prompt that is not hidden and has answers, those of live battles too.

    config: says whose verdicts count; see `board.policy_of`.
    """
    hidden = store.withheld("prompt")
    models: defaultdict[str, set[str]] = defaultdict(set)
    for model, prompt in store.evidence.answered():
        models[prompt].add(model)
    votes, people = _people(store)
    verdicts = store.evidence.verdicts()
    policy = policy_of(store, config or Config())
    gathered = gather(store, rules=policy.rules, ways=policy.ways)
    left_out = _left_out(gathered, policy)
    cards = {judge: key for judge, key in current_cards(verdicts).items() if judge not in left_out}
    judged = _judged(verdicts, people, cards)
    entries = tuple(
        CatalogueEntry(
            prompt.key,
            line_of(prompt),
            " ".join(prompt.turns).casefold(),
            prompt.category,
            prompt.language,
            frozenset(models[prompt.key]),
            frozenset(judged.judges[prompt.key]),
            len(models[prompt.key]),
            votes[prompt.key],
            judged.counts[prompt.key],
            judged.split(prompt.key),
            prompt.key in judged.turned,
            prompt.source == LIVE,
            prompt.is_absent,
        )
        for prompt in store.prompts.where()
        if prompt.key not in hidden and models[prompt.key]
    )
    reports = gathered.reports.values()
    objections = {one.judge: one.objection for one in reports if one.objection is not None}
    return Catalogue(entries, cards, left_out, objections)


def _left_out(gathered: Gathered, policy: Policy) -> dict[str, str]:
    """The judges that are not chosen or too weak to rank by, with the word that says so."""
    judges = {*gathered.judges, *gathered.reports}
    others = judges - set(policy.judges) if policy.judges else set()
    weak = {one for one in judges if not is_fit(gathered, one, policy.allow_weak_judges)}
    return dict.fromkeys(weak, "judge_weak") | dict.fromkeys(others, "judge_not_chosen")


def detail(store: Store, key: str) -> Detail | None:
    """One prompt with everything; None where there is none, or it is hidden."""
    prompt = store.prompts.get([key]).get(key)
    if prompt is None or key in store.withheld("prompt"):
        return None
    models = {model.name for model in store.models()}
    every = tuple(store.answers.where(prompt_key=key))
    known = [a for a in every if a.model in models]
    aside = {a.key for a in every if a.model not in models}
    judges = store.archive.names(Archivable.JUDGE)
    return Detail(
        prompt,
        tuple(a for a in known if not a.is_absent),
        tuple(a for a in known if a.is_absent),
        tuple(v for v in store.votes.where(prompt_key=key) if not {v.first, v.second} & aside),
        tuple(
            v
            for v in store.verdicts.where(prompt_key=key)
            if v.judge not in judges and not {v.first, v.second} & aside
        ),
        tuple(
            s
            for s in store.scores.where(prompt_key=key)
            if s.judge not in judges and s.answer not in aside
        ),
        tuple(g for g in store.grades.where(prompt_key=key) if g.answer not in aside),
    )


def outcomes(store: Store, benchmark: str, files: Sequence[Path] | None = ()) -> list[ItemOutcomes]:
    """A benchmark's items, of each model, metric and way of asking the latest outcome.

    files: that may hold the items, see `known_items`; None leaves out what the items say.
    """
    found: defaultdict[tuple[str, str], dict[tuple[str, str, str], Outcome]] = defaultdict(dict)
    aside = store.archive.names(Archivable.MODEL)
    for outcome in store.outcomes.where(benchmark=benchmark):
        if outcome.model in aside:
            continue
        here = outcome.model, outcome.metric, outcome.variant
        found[outcome.version, outcome.item][here] = outcome
    known = {
        version: known_items(benchmark, version, store.home, files) if files is not None else {}
        for version in {version for version, _ in found}
    }
    return [
        ItemOutcomes(name, version, tuple(rows.values()), known[version].get(name))
        for (version, name), rows in found.items()
    ]


def _people(store: Store) -> tuple[Counter[str], dict[tuple[str, str], list[str]]]:
    """Votes by prompt, and each person's side on two answers under both orders of their keys."""
    votes: Counter[str] = Counter()
    people: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    columns = store.evidence.votes()
    for prompt, a, b, winner in zip(
        columns.prompt, columns.answer_a, columns.answer_b, columns.winner, strict=True
    ):
        votes[prompt] += 1
        label = LABELS.get(winner, "tie")
        people[a, b].append(label)
        people[b, a].append(MIRRORED.get(label, label))
    return votes, people


@dataclass(frozen=True, slots=True)
class _Judged:
    """By prompt: who judged it, how many verdicts count, on how many of them people decided the
    pair, and how many of those are against people; and where a judge disagrees with itself.
    """

    judges: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    against: Counter[str] = field(default_factory=Counter)
    turned: set[str] = field(default_factory=set)

    def split(self, prompt: str) -> float:
        """The share of the verdicts against people; 0 where there are none to tell by."""
        decided = self.decided[prompt]
        return self.against[prompt] / decided if decided else 0.0


def _judged(
    columns: VerdictColumns,
    people: Mapping[tuple[str, str], list[str]],
    cards: Mapping[str, str],
) -> _Judged:
    """What judges said of each prompt. people: see `_people`. cards: whose verdicts count."""
    found = _Judged()
    for i, (judge, prompt) in enumerate(zip(columns.judge, columns.prompt, strict=True)):
        found.judges[prompt].add(judge)
        if cards.get(judge) != columns.judge_key[i]:
            continue
        forward, backward = columns.forward[i], columns.backward[i]
        found.counts[prompt] += sum(
            said not in (None, Preference.UNPARSED) for said in (forward, backward)
        )
        sides = {forward} if backward is None else {forward, MIRRORED.get(backward, backward)}
        if len(sides) > 1 and Preference.UNPARSED not in sides:
            found.turned.add(prompt)
        said = people.get((columns.answer_a[i], columns.answer_b[i]))
        if said and sides <= {"A", "B"} and len(sides) == 1:
            most = majority(said)
            if most in MIRRORED:
                found.decided[prompt] += 1
                found.against[prompt] += most not in sides
    return found


def pages(rows: Sequence[CatalogueEntry], size: int = PAGE) -> Iterator[Sequence[CatalogueEntry]]:
    """The list in parts that a page holds."""
    for start in range(0, max(1, len(rows)), size):
        yield rows[start : start + size]


def line_of(prompt: Prompt) -> str:
    """How a prompt begins, on one line."""
    return beginning(" ".join(prompt.turns))


def beginning(text: str) -> str:
    """How a text begins, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
