"""What there is to browse: prompts with what was said of them, and benchmarks' outcomes."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from arena.judging.report_card.orders import majority
from arena.records import Answer, Grade, Outcome, Prompt, Remark, Report, Score, Verdict, Vote
from arena.store import Store
from arena.store.archive import Archivable

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
    """A prompt in the list. split: in which share of the verdicts on pairs that people decided a
    judge takes the opposite side; 0 where there are none. turned: a judge's two orders disagree
    on some pair.
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
    """All that there is on one prompt."""

    prompt: Prompt
    answers: tuple[Answer, ...]
    votes: tuple[Vote, ...]
    verdicts: tuple[Verdict, ...]
    scores: tuple[Score, ...]
    grades: tuple[Grade, ...]


def entries(store: Store) -> tuple[CatalogueEntry, ...]:
    """Every prompt that is not hidden and has answers, in the order of the store."""
    hidden = store.withheld("prompt")
    models: defaultdict[str, set[str]] = defaultdict(set)
    for model, prompt, _ in store.evidence.shown_answers():
        models[prompt].add(model)
    votes, people = _people(store)
    judges, counts, split, turned = _judged(store, people)
    return tuple(
        CatalogueEntry(
            prompt.key,
            line_of(prompt),
            " ".join(prompt.turns).casefold(),
            prompt.category,
            prompt.language,
            frozenset(models[prompt.key]),
            frozenset(judges[prompt.key]),
            len(models[prompt.key]),
            votes[prompt.key],
            counts[prompt.key],
            split.get(prompt.key, 0.0),
            prompt.key in turned,
        )
        for prompt in store.prompts.where()
        if prompt.key not in hidden and models[prompt.key]
    )


def detail(store: Store, key: str) -> Detail | None:
    """One prompt with everything; None where there is none, or it is hidden."""
    prompt = store.prompts.get([key]).get(key)
    if prompt is None or key in store.withheld("prompt"):
        return None
    models = {model.name for model in store.models()}
    every = tuple(store.answers.where(prompt_key=key))
    answers = tuple(a for a in every if not a.is_absent and a.model in models)
    aside = {a.key for a in every if a.model not in models}
    judges = store.archive.names(Archivable.JUDGE)
    return Detail(
        prompt,
        answers,
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


def outcomes(store: Store, benchmark: str) -> dict[str, list[Outcome]]:
    """A benchmark's outcomes by item, of each model and metric the latest."""
    found: dict[str, dict[tuple[str, str, str], Outcome]] = defaultdict(dict)
    aside = store.archive.names(Archivable.MODEL)
    for outcome in store.outcomes.where(benchmark=benchmark):
        if outcome.model in aside:
            continue
        found[outcome.item][outcome.model, outcome.metric, outcome.variant] = outcome
    return {item: list(rows.values()) for item, rows in found.items()}


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


def _judged(
    store: Store, people: dict[tuple[str, str], list[str]]
) -> tuple[dict[str, set[str]], Counter[str], dict[str, float], set[str]]:
    """By prompt: judges, how many verdicts, the share of them against people; and the prompts on
    which a judge disagrees with itself.
    """
    judges: defaultdict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    against: Counter[str] = Counter()
    turned = set()
    columns = store.evidence.verdicts()
    for judge, prompt, a, b, forward, backward in zip(
        columns.judge,
        columns.prompt,
        columns.answer_a,
        columns.answer_b,
        columns.forward,
        columns.backward,
        strict=True,
    ):
        judges[prompt].add(judge)
        counts[prompt] += 1 + (backward is not None)
        sides = {forward} if backward is None else {forward, MIRRORED.get(backward, backward)}
        if len(sides) > 1 and "unparsed" not in sides:
            turned.add(prompt)
        said = people.get((a, b))
        if said and sides <= {"A", "B"} and len(sides) == 1:
            most = majority(said)
            if most in MIRRORED:
                decided[prompt] += 1
                against[prompt] += most not in sides
    return judges, counts, {p: against[p] / n for p, n in decided.items()}, turned


def pages(rows: Sequence[CatalogueEntry], size: int = PAGE) -> Iterator[Sequence[CatalogueEntry]]:
    """The list in parts that a page holds."""
    for start in range(0, max(1, len(rows)), size):
        yield rows[start : start + size]


def line_of(prompt: Prompt) -> str:
    """How a prompt begins, on one line."""
    line = " ".join(" ".join(prompt.turns).split())
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
