"""Which votes count, and people's votes and grades as comparisons."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np

from arena.files.tabular import Column
from arena.leaderboard.evidence.groups import Group, rows_in
from arena.leaderboard.evidence.identity import RULES, identity_claim, names_of
from arena.leaderboard.evidence.rules import ALL, VoteRules
from arena.ratings import Comparisons
from arena.records import Leak, Note
from arena.store import Store
from arena.store.columns import CodedVotes
from arena.store.rows import chunks


def counted_votes(store: Store, rules: VoteRules = ALL) -> tuple[CodedVotes, list[Note]]:
    """The votes that count, and a note for each reason why others do not."""
    # The search may write; votes that are read after it need not be read again.
    leaked = [] if rules.keep_leaked else leaked_answers(store)
    votes, notes = store.evidence.coded_votes(), []
    if leaked:
        named = np.isin(votes.answer_a, leaked) | np.isin(votes.answer_b, leaked)
        if named.any():
            notes.append(Note.of("votes.leaked", count=int(named.sum())))
            votes = votes.take(~named)
    if rules.without:
        voters = np.array([name in rules.without for name in votes.voter.labels], bool)
        flagged = voters[votes.voter.codes]
        if flagged.any():
            notes.append(Note.of("votes.flagged", count=int(flagged.sum())))
            votes = votes.take(~flagged)
    if rules.cap is not None:
        notes.append(Note.of("votes.cap", cap=rules.cap))
    return votes, notes


def leaked_answers(store: Store) -> list[int]:
    """Numbers of the answers voted on that say who wrote them; those not yet read are read now."""
    unread, until = store.evidence.unread(RULES)
    names = {model.name: names_of(model) for model in store.models(archived=True)}
    for keys in chunks(unread):
        answers = store.answers.get(keys)
        prompts = store.prompts.get({answer.prompt_key for answer in answers.values()})
        store.leaks.put(
            Leak(key, RULES, identity_claim("\n".join(a.turns), asked, names[a.model]) or "")
            for key, a in answers.items()
            for asked in ["\n".join(prompts[a.prompt_key].turns)]
        )
    if until is not None:
        store.evidence.searched(RULES, until)
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


def vote_comparisons(
    votes: CodedVotes, style: Mapping[str, Iterable[float]] | None = None
) -> Comparisons:
    """Votes as comparisons, in the order of voting, the answer on the left first.

    style: covariates by name, one entry a vote.
    """
    drawn = votes.propensity
    return Comparisons.from_columns(
        votes.model_a,
        votes.model_b,
        votes.winner,
        prompt=votes.prompt.in_order(),
        voter=votes.voter.in_order(),
        source=Column(np.zeros(len(votes), np.int32), ["human"]),
        propensity=None if drawn is None or np.isnan(drawn).any() else drawn,
        style=style,
    )
