"""Which votes count, and people's votes and grades as comparisons."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations

from arena.leaderboard.evidence.groups import NO_STYLE, Group, Styles, rows_in
from arena.leaderboard.evidence.identity import RULES, identity_claim, names_of
from arena.ratings import Comparisons
from arena.records import Leak, Note
from arena.store import Store
from arena.store.columns import VoteColumns


@dataclass(frozen=True, slots=True)
class VoteRules:
    """Which votes count, and how much.

    keep_leaked: those on battles in which an answer says who wrote it, too. without: voters
    who are left out. cap: the largest share that one voter may have of any model's votes. lose:
    whether a prompt that a model has no answer to is lost, for judges, to all that have one.
    """

    keep_leaked: bool = False
    without: frozenset[str] = frozenset()
    cap: float | None = None
    lose: bool = False


ALL = VoteRules()


def counted_votes(store: Store, rules: VoteRules = ALL) -> tuple[VoteColumns, list[Note]]:
    """The votes that count, and a note for each reason why others do not."""
    votes, notes = store.evidence.votes(), []
    kept: Sequence[int] = range(len(votes.voter))
    if not rules.keep_leaked and (leaked := leaked_answers(store)):
        blind = [i for i in kept if not leaked & {votes.answer_a[i], votes.answer_b[i]}]
        if len(blind) < len(kept):
            notes.append(Note.of("votes.leaked", count=len(kept) - len(blind)))
        kept = blind
    if rules.without:
        others = [i for i in kept if votes.voter[i] not in rules.without]
        if len(others) < len(kept):
            notes.append(Note.of("votes.flagged", count=len(kept) - len(others)))
        kept = others
    if rules.cap is not None:
        notes.append(Note.of("votes.cap", cap=rules.cap))
    return chosen(votes, kept), notes


def chosen(votes: VoteColumns, rows: Sequence[int]) -> VoteColumns:
    """The votes at these positions."""
    if len(rows) == len(votes.voter):
        return votes
    columns = {field.name: getattr(votes, field.name) for field in fields(votes)}
    return VoteColumns(**{name: [values[i] for i in rows] for name, values in columns.items()})


def leaked_answers(store: Store) -> frozenset[str]:
    """Keys of the answers voted on that say who wrote them; those not yet read are read now."""
    if unread := store.evidence.unread(RULES):
        answers = store.answers.get(unread)
        prompts = store.prompts.get({answer.prompt_key for answer in answers.values()})
        names = {model.name: names_of(model) for model in store.models()}
        store.leaks.put(
            Leak(key, RULES, identity_claim("\n".join(a.turns), asked, names[a.model]) or "")
            for key, a in answers.items()
            for asked in ["\n".join(prompts[a.prompt_key].turns)]
        )
    return store.evidence.leaked()


def graded(store: Store, group: Group | None = None) -> Comparisons | None:
    """People's grades as comparisons: of two answers to a prompt by one person, the higher wins.

    A person's 4 is not another's, nor is it the same on another prompt.
    """
    grades = store.evidence.grades()
    together: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i in rows_in(grades, group):
        together[grades.voter[i], grades.prompt[i]].append(i)
    rows = [
        (
            grades.model[i],
            grades.model[j],
            (1 + (grades.value[i] > grades.value[j]) - (grades.value[i] < grades.value[j])) / 2,
            prompt,
            voter,
        )
        for (voter, prompt), here in together.items()
        for i, j in combinations(here, 2)
        if grades.model[i] != grades.model[j]
    ]
    if not rows:
        return None
    a, b, outcome, prompts, voters = zip(*rows, strict=True)
    return Comparisons.from_columns(
        a, b, outcome=outcome, prompt=prompts, voter=voters, source=["grades"] * len(rows)
    )


def vote_comparisons(votes: VoteColumns, styles: Styles = NO_STYLE) -> Comparisons:
    """Votes as comparisons, in the order of voting, the answer on the left first."""
    known = [p for p in votes.propensity if p is not None]
    return Comparisons.from_columns(
        votes.model_a,
        votes.model_b,
        votes.winner,
        prompt=votes.prompt,
        voter=votes.voter,
        source=["human"] * len(votes.voter),
        propensity=known if len(known) == len(votes.voter) else None,
        style=styles.differences(votes.answer_a, votes.answer_b),
    )
