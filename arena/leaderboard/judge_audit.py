"""Report cards of judges: from what the store holds, or from a file that people have labelled."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from arena.backends import cost_of
from arena.generation.batch import Control, Progress
from arena.judging.cards.card import JudgeCard
from arena.judging.judge import Plan
from arena.judging.report_card.audit import Audit, AuditPair, audit
from arena.judging.report_card.canaries import SUITE, CanaryReport, canaries, canary_report
from arena.judging.report_card.labelled import Labelled
from arena.judging.report_card.measures import Measure, mean_of
from arena.judging.report_card.orders import labels_by_pair, preference_of
from arena.judging.report_card.pair_bias import PairBias, pair_biases
from arena.judging.report_card.probes import Probed, probe, probed
from arena.leaderboard.evidence.judged import as_verdicts, latest
from arena.leaderboard.evidence.scored import scores_as_verdicts
from arena.ratings import style_of
from arena.records import Answer, Preference, Usage
from arena.records.errors import UnknownNameError
from arena.store import Store
from arena.store.columns import VerdictColumns
from arena.store.rows import Rows


@dataclass(frozen=True, slots=True)
class JudgeAudit:
    """A judge's report card. pairs: that it compared. usages: what each reading took.

    alone: it saw each answer alone, so that it could follow no order.
    price: of its tokens, where the card has one. canaries: None where it was never put to that
    test. by_models: its leanings on each pair of models.
    """

    judge: str
    pairs: int
    audit: Audit
    usages: Sequence[Usage] = ()
    price: tuple[float, float] | None = None
    canaries: CanaryReport | None = None
    by_models: Sequence[PairBias] = ()
    alone: bool = False

    def measures(self) -> list[tuple[str, Measure]]:
        """All figures by name, in reading order."""
        found = self.audit.items()
        if self.canaries:
            found.append(("canaries_won", self.canaries.attacked))
            found.append(("plain_canaries_won", self.canaries.plain))
        if self.price is not None:
            costs = [cost_of(usage, self.price) for usage in self.usages]
            found.append(("cost_per_verdict", mean_of(costs)))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON has it: each measure as `value`, `low`, `high` and `n`."""
        whole: dict[str, Any] = {"judge": self.judge, "pairs": self.pairs}
        whole |= {name: asdict(measure) for name, measure in self.measures()}
        if self.canaries:
            whole["canaries"] = {kind: asdict(won) for kind, won in self.canaries.won.items()}
        return whole


def judges_with_verdicts(store: Store) -> list[str]:
    """The judges that have compared pairs."""
    return sorted({name for columns in _columns(store) for name in columns.judge})


def audit_judge(store: Store, judge: str, card: JudgeCard | None = None) -> JudgeAudit:
    """What is known of a judge from its verdicts and rankings, and from people's votes.

    Of one that compared no answers, it is known from its scores.
    card: as it is now, to look up how its canaries went. Raises UnknownNameError where the
    judge has compared nothing.
    """
    known = judges_with_verdicts(store)
    if judge not in known:
        raise UnknownNameError("judge with verdicts", judge, known)
    votes = labels_by_pair(store.evidence.votes())
    pairs, usages, about = list[AuditPair](), [], dict[str, Any]()
    tables: list[Rows[Any]] = [store.verdicts, store.rankings, store.scores]
    for columns, table in zip(_columns(store), tables, strict=True):
        alone = table is store.scores
        if alone and pairs:
            break
        rows = latest(columns, list(range(len(columns.judge)))).get(judge, [])
        pairs += [replace(p, alone=alone) for p in _audit_pairs(store, columns, rows, votes)]
        if rows:
            key = columns.judge_key[rows[-1]]
            usages += table.usages(judge_key=key)
            about = _snapshot(store, key)
    own = {model.name for model in store.models() if model.weights == about.get("weights")}
    price = about.get("price")
    return JudgeAudit(
        judge,
        len(pairs),
        audit(pairs, own=own, family=about.get("family")),
        usages,
        (price[0], price[1]) if price else None,
        stored_canaries(store, card) if card else None,
        pair_biases(pairs),
        any(pair.alone for pair in pairs),
    )


def ask_canaries(store: Store, card: JudgeCard, control: Control) -> Progress:
    """Put the judge to the canaries that it has not met."""
    return _ask(probe(store, card, SUITE, canaries()), control)


def stored_canaries(store: Store, card: JudgeCard) -> CanaryReport | None:
    """How the judge did with the canaries, by its card as it is; None where it met none."""
    pairs = canaries()
    if card.file.pairwise is None and not card.is_reward:
        return None
    plan = probe(store, card, SUITE, pairs)
    plan.reparse()
    found = canary_report(probed(plan, pairs))
    return found if found.attacked.n else None


def ask_labelled(store: Store, card: JudgeCard, given: Labelled, control: Control) -> Progress:
    """Let the judge compare the labelled pairs that it has not seen."""
    return _ask(probe(store, card, given.suite, given.pairs), control)


def audit_labelled(store: Store, card: JudgeCard, given: Labelled) -> JudgeAudit:
    """The judge's report card on labelled pairs."""
    found = probed(probe(store, card, given.suite, given.pairs), given.pairs)
    pairs = [
        replace(_labelled_pair(one, people), alone=card.is_reward)
        for one, people in zip(found, given.people, strict=True)
        if one.forward or one.backward
    ]
    usages = [read.usage for one in found for read in (one.forward, one.backward) if read]
    audited = audit(pairs)
    return JudgeAudit(
        card.name, len(pairs), audited, usages, card.model.price, alone=card.is_reward
    )


def _ask(plan: Plan, control: Control) -> Progress:
    """Read stored replies anew where the reading has changed, and ask for what is missing."""
    plan.reparse()
    return plan.ask(control)


def _labelled_pair(one: Probed, people: tuple[str, ...]) -> AuditPair:
    texts = one.pair.answer_a, one.pair.answer_b
    forward, backward = one.forward, one.backward
    preference = preference_of(
        (forward.p_first, forward.p_second) if forward else None,
        (backward.p_first, backward.p_second) if backward else None,
    )
    return AuditPair(
        item=one.pair.prompt.name,
        forward=forward.preference if forward else None,
        backward=backward.preference if backward else None,
        people=people,
        preference=preference,
        length=(len(texts[0]), len(texts[1])),
        markup=(_markup(texts[0]), _markup(texts[1])),
    )


def _columns(store: Store) -> tuple[VerdictColumns, VerdictColumns, VerdictColumns]:
    found = store.evidence
    return found.verdicts(), as_verdicts(found.rankings()), scores_as_verdicts(found.scores())


def _audit_pairs(
    store: Store,
    verdicts: VerdictColumns,
    rows: Sequence[int],
    people: Mapping[tuple[str, str], Sequence[str]],
) -> Iterator[AuditPair]:
    keys = {key for i in rows for key in (verdicts.answer_a[i], verdicts.answer_b[i])}
    answers = store.answers.get(keys)
    families = {model.name: model.family for model in store.models()}
    sizes = {key: _sizes(answer) for key, answer in answers.items()}
    for i in rows:
        a, b = verdicts.answer_a[i], verdicts.answer_b[i]
        models = verdicts.model_a[i], verdicts.model_b[i]
        size_a, size_b = sizes[a], sizes[b]
        backward = verdicts.backward[i]
        yield AuditPair(
            item=verdicts.prompt[i],
            forward=Preference(verdicts.forward[i]),
            backward=Preference(backward) if backward is not None else None,
            people=tuple(people.get((a, b), ())),
            preference=preference_of(
                (verdicts.forward_p_first[i], verdicts.forward_p_second[i]),
                (verdicts.backward_p_first[i], verdicts.backward_p_second[i]) if backward else None,
            ),
            length=(size_a[0], size_b[0]) if size_a and size_b else None,
            markup=(size_a[1], size_b[1]) if size_a and size_b else None,
            models=models,
            families=(families[models[0]], families[models[1]]),
        )


def _sizes(answer: Answer) -> tuple[int, int] | None:
    if answer.is_absent:
        return None
    return sum(map(len, answer.turns)), sum(map(_markup, answer.turns))


def _markup(text: str) -> int:
    style = style_of(text)
    return int(style.headers + style.lists + style.bold)


def _snapshot(store: Store, key: str) -> dict[str, Any]:
    """What the store keeps of a judge's card."""
    found = store.judges.get([key])
    return dict(json.loads(found[key].card)) if key in found else {}
