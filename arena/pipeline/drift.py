"""What a database holds of each stage, what went wrong, and what no longer fits arena.yaml."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from arena.config import Config
from arena.generation.prompts import load_prompts
from arena.judging import load_card
from arena.pipeline.missing import missing_rows
from arena.records import Mode, Note, counted
from arena.records.errors import ArenaError
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import Changed, find


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows of one stage. missing, unparsed: None where the stage knows no such thing."""

    stage: str
    stored: int
    missing: int | None = None
    unparsed: int | None = None
    failed: int = 0


# The table of each stage and the word under which its failures are stored.
_FAILURES = {
    "answers": "answer",
    "verdicts": str(Mode.PAIRWISE),
    "scores": str(Mode.SCORE),
    "rankings": str(Mode.RANK),
    "outcomes": "benchmark",
}


def stages(store: Store, config: Config) -> list[Stage]:
    """Each stage in the order of the work. config: says what is missing; see `missing_rows`."""
    counts, failed = store.counts(), store.still_failing()
    missing = missing_rows(store, config)
    unparsed = store.unparsed_counts()
    return [
        Stage(
            name,
            count,
            missing.get(name),
            unparsed.get(name),
            failed.get(_FAILURES.get(name, ""), 0),
        )
        for name, count in counts.items()
    ]


def no_answers(store: Store) -> Iterator[str]:
    """A sentence for each model on its replies that are no answers, by their states."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in store.standing_unanswered().values():
        counts[row.model][str(row.state)] += 1
    for model, states in sorted(counts.items()):
        parts = ", ".join(f"{count} × {state}" for state, count in sorted(states.items()))
        yield (
            f"{model} has replies that are no answers: {parts}. arena generate --retry-failed "
            "asks for them again, with more room"
        )


def older_replies(store: Store) -> Iterator[str]:
    """A sentence on replies that could not be read, and whose place a later card took."""
    if count := store.unparsed_before():
        replies = counted(count, "reply", "replies")
        yield (
            f"{replies} of earlier cards could not be read; what the cards of now made of "
            "the same answers counts in their place"
        )


def absent_answers(store: Store) -> Iterator[str]:
    """A sentence on answers that an imported file told of without their texts."""
    if count := store.absent_answers():
        yield str(Note.of("answers.absent", count=count))


def mismatches(store: Store, config: Config) -> Iterator[str]:
    """Sentences on what in the database is no longer as arena.yaml and its files have it."""
    yield from _models(store, config)
    yield from _judges(store, config)
    yield from _prompts(store, config)


def _models(store: Store, config: Config) -> Iterator[str]:
    for model in config.candidates().values():
        found = find(store, model)
        if isinstance(found, Changed):
            yield (f"{found}. arena run --new-version stores the new settings as {found.next_name}")
    if aside := sorted(store.archive.names(Archivable.MODEL)):
        yield (
            f"Archived models, whose rows are counted above: {', '.join(aside)}. "
            "arena models restore NAME takes one back"
        )
    stored, named = {model.name for model in store.models()}, set(config.models)
    if named and (others := sorted(name for name in stored if name.split("@")[0] not in named)):
        yield f"Models with rows that are not in arena.yaml: {', '.join(others)}"


def _judges(store: Store, config: Config) -> Iterator[str]:
    """Judges whose card has changed since their verdicts, and those that nobody names now."""
    latest = {judge.name: judge.key for judge in store.judges.where()}
    for run in config.judges:
        try:
            card = load_card(run.judge, store.home)
            key = card.key(run.mode)
        except ArenaError as error:
            yield f"judges: {error}"
            continue
        keys = {judge.key for judge in store.judges.where(name=card.name)}
        if keys and key not in keys and _has_mode(store, card.name, run.mode):
            yield (
                f"The card of {card.name} has changed since its verdicts; arena judge --judge "
                f"{card.name} judges by it as it is now"
            )
    if aside := store.archive.names(Archivable.JUDGE):
        names = ", ".join(sorted(aside))
        yield f"Archived judges: {names}. arena judges restore NAME takes one back"
    named = {run.judge for run in config.judges} | aside
    if named and (others := sorted(set(latest) - named)):
        yield f"Judges with rows that are not in arena.yaml: {', '.join(others)}"


def _has_mode(store: Store, judge: str, mode: Mode) -> bool:
    counts = {
        Mode.PAIRWISE: store.verdicts.count,
        Mode.SCORE: store.scores.count,
        Mode.RANK: store.rankings.count,
    }
    return counts[mode](judge=judge) > 0


def _prompts(store: Store, config: Config) -> Iterator[str]:
    """Prompts whose text was changed in their set after they were answered."""
    try:
        now = load_prompts(config.prompts, store.home, None)
    except ArenaError as error:
        yield f"prompts: {error}"
        return
    keys, names = {p.key for p in now}, {(p.source, p.name) for p in now}
    answered = {prompt for _, prompt, _ in store.evidence.shown_answers()}
    old = [
        p.name
        for p in store.prompts.where()
        if p.key not in keys and (p.source, p.name) in names and p.key in answered
    ]
    if old:
        shown = ", ".join(old[:5]) + (", …" if len(old) > 5 else "")
        yield f"Prompts that were changed after they were answered ({len(old)}): {shown}"
