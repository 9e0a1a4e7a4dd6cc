"""Report cards of judges: from what the store holds, or from a file that people have labelled."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena.backends import cost_of
from arena.batch import Control, Progress
from arena.errors import InputError, UnknownNameError
from arena.evidence import as_verdicts, latest
from arena.judging.audit import Audit, AuditPair, audit
from arena.judging.canaries import SUITE, CanaryReport, canaries, canary_report
from arena.judging.cards import JudgeCard
from arena.judging.measures import Measure, mean_of
from arena.judging.pair_bias import PairBias, pair_biases
from arena.judging.probes import Pair, Probed, probe, probed
from arena.judging.report import labels_by_pair, preference_of
from arena.ratings import style_of
from arena.records import Answer, Preference, Prompt, Usage, content_key
from arena.store import Store
from arena.store.columns import VerdictColumns
from arena.store.rows import Rows
from arena.tabular import Row, listed, rows, said, wrapped

_LABELS = {"a": "A", "model_a": "A", "b": "B", "model_b": "B", "tie": "tie"}
_LABELLED = ("question", "answer_a", "answer_b", "label")


@dataclass(frozen=True, slots=True)
class JudgeAudit:
    """A judge's report card. pairs: that it compared. usages: what each reading took.

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

    card: as it is now, to look up how its canaries went. Raises UnknownNameError where the
    judge has compared nothing.
    """
    known = judges_with_verdicts(store)
    if judge not in known:
        raise UnknownNameError("judge with verdicts", judge, known)
    votes = labels_by_pair(store.evidence.votes())
    pairs, usages, about = [], [], dict[str, Any]()
    tables: tuple[Rows[Any], Rows[Any]] = store.verdicts, store.rankings
    for columns, table in zip(_columns(store), tables, strict=True):
        rows = latest(columns, list(range(len(columns.judge))), defaultdict(int)).get(judge, [])
        pairs += list(_audit_pairs(store, columns, rows, votes))
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
    )


def ask_canaries(store: Store, card: JudgeCard, control: Control) -> Progress:
    """Put the judge to the canaries that it has not met."""
    return probe(store, card, SUITE, canaries()).ask(control)


def stored_canaries(store: Store, card: JudgeCard) -> CanaryReport | None:
    """How the judge did with the canaries, by its card as it is; None where it met none."""
    pairs = canaries()
    if card.file.pairwise is None:
        return None
    found = canary_report(probed(probe(store, card, SUITE, pairs), pairs))
    return found if found.attacked.n else None


@dataclass(frozen=True, slots=True)
class Labelled:
    """Pairs that people have labelled, and the suite that they make up."""

    suite: str
    pairs: tuple[Pair, ...]
    labels: tuple[str, ...]


def read_labelled(path: Path) -> Labelled:
    """CSV, JSON or Parquet with `question, answer_a, answer_b, label`; label: A, B or tie."""
    pairs, labels = [], []
    for number, row in enumerate(rows(path), start=1):
        question, answer_a, answer_b, label = _labelled(row)
        language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in question) else "en"
        prompt = Prompt(f"row {number}", (question,), "labelled", language)
        pairs.append(Pair(f"row {number}", prompt, answer_a, answer_b))
        labels.append(label)
    if not pairs:
        raise InputError(f"{path}: no rows in it; it needs the columns {', '.join(_LABELLED)}")
    texts = [[p.prompt.turns, p.answer_a, p.answer_b] for p in pairs]
    return Labelled(f"labels {content_key(texts)}", tuple(pairs), tuple(labels))


def _labelled(row: Row) -> tuple[str, str, str, str]:
    """The three texts of a row, and its label."""
    given = {str(name).strip().casefold(): value for name, value in row.fields.items()}
    if missing := [name for name in _LABELLED if name not in given]:
        more = [f"it has {listed(row.fields)}", wrapped(row.fields)]
        raise InputError(
            f"{row.path}:1: missing column {missing[0]!r}; it needs {', '.join(_LABELLED)}; "
            f"{'; '.join(filter(None, more))}"
        )
    for name in _LABELLED[:3]:
        if not isinstance(given[name], str):
            raise InputError(f"{row.where}: {name}: {said(given[name])}; it must be a text")
    label = given["label"]
    found = _LABELS.get(label.strip().casefold()) if isinstance(label, str) else None
    if found is None:
        raise InputError(f"{row.where}: label: {said(label)}; allowed are A, B, tie")
    return given["question"], given["answer_a"], given["answer_b"], found


def ask_labelled(store: Store, card: JudgeCard, given: Labelled, control: Control) -> Progress:
    """Let the judge compare the labelled pairs that it has not seen."""
    return probe(store, card, given.suite, given.pairs).ask(control)


def audit_labelled(store: Store, card: JudgeCard, given: Labelled) -> JudgeAudit:
    """The judge's report card on labelled pairs."""
    found = probed(probe(store, card, given.suite, given.pairs), given.pairs)
    pairs = [
        _labelled_pair(one, label)
        for one, label in zip(found, given.labels, strict=True)
        if one.forward or one.backward
    ]
    usages = [read.usage for one in found for read in (one.forward, one.backward) if read]
    return JudgeAudit(card.name, len(pairs), audit(pairs), usages, card.model.price)


def _labelled_pair(one: Probed, label: str) -> AuditPair:
    texts = one.pair.answer_a, one.pair.answer_b
    forward, backward = one.forward, one.backward
    preference = preference_of(
        (forward.p_first, forward.p_second) if forward else None,
        (backward.p_first, backward.p_second) if backward else None,
    )
    return AuditPair(
        item=one.pair.item,
        forward=forward.preference if forward else None,
        backward=backward.preference if backward else None,
        people=(label,),
        preference=preference,
        length=(len(texts[0]), len(texts[1])),
        markup=(_markup(texts[0]), _markup(texts[1])),
    )


def _columns(store: Store) -> tuple[VerdictColumns, VerdictColumns]:
    return store.evidence.verdicts(), as_verdicts(store.evidence.rankings())


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
