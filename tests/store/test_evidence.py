"""The columns that ratings are made of, against reading the same rows plainly in Python."""

from collections import Counter, defaultdict

import pytest

from arena.records import NOBODY, Outcome
from arena.store import Store
from tests.store.world import World, make_world, put_aside


@pytest.fixture(params=range(4))
def world(request: pytest.FixtureRequest, store: Store) -> World:
    """Some with models and judges put aside."""
    made = make_world(store, request.param)
    if request.param % 2:
        put_aside(made, 1, request.param // 2)
    return made


def test_votes_are_those_that_stand_with_the_models_of_their_answers(world: World) -> None:
    expected = [
        (world.answers[v.first].model, world.answers[v.second].model, v.winner, v.voter,
         v.propensity, world.prompts[v.prompt_key].category, v.first, v.second, v.seconds)
        for v in world.votes
        if v.battle not in world.withdrawn and world.counts(v.first) and world.counts(v.second)
    ]  # fmt: skip
    found = world.store.evidence.votes()
    assert expected
    assert [
        *zip(
            found.model_a, found.model_b, found.winner, found.voter, found.propensity,
            found.category, found.answer_a, found.answer_b, found.seconds, strict=True,
        )
    ] == expected  # fmt: skip


def test_tallies_are_the_votes_counted_and_changes_their_difference(world: World) -> None:
    found = world.store.evidence.tallies()
    votes = world.store.evidence.votes()
    expected = Counter(zip(votes.model_a, votes.model_b, votes.winner, strict=True))
    assert dict(
        zip(zip(found.model_a, found.model_b, found.winner, strict=True), found.votes, strict=True)
    ) == dict(expected)
    until = world.store.evidence.votes_until()
    cast, back = world.store.evidence.changes(type(until)(0, 0), until)
    whole = Counter[tuple[str, str, str]]()
    for columns, sign in ((cast, 1), (back, -1)):
        for a, b, winner, n in zip(
            columns.model_a, columns.model_b, columns.winner, columns.votes, strict=True
        ):
            whole[a, b, winner] += sign * n
    assert +whole == expected


def test_a_stretch_of_votes_is_told_by_their_ids(world: World) -> None:
    last = world.store.evidence.last_vote()
    assert last == len(world.votes)
    for middle in (0, last // 3, last):
        parts = [world.store.evidence.tallies(0, middle), world.store.evidence.tallies(middle)]
        assert sum(sum(part.votes) for part in parts) == sum(world.store.evidence.tallies().votes)


def test_verdicts_are_the_latest_of_each_reading_with_both_orders_in_one_entry(
    world: World,
) -> None:
    latest = {}
    for verdict in world.verdicts:  # the later of the same reading takes the earlier's place
        about = verdict.judge_key, verdict.first, verdict.second, verdict.turn, verdict.sample
        latest[about] = verdict
    expected = {
        about: verdict.preference
        for about, verdict in latest.items()
        if verdict.judge not in world.aside
        and world.counts(verdict.first)
        and world.counts(verdict.second)
    }
    found = world.store.evidence.verdicts()
    read = Counter[tuple[str, str, str, str]]()
    for i, key in enumerate(found.judge_key):
        a, b = found.answer_a[i], found.answer_b[i]
        assert (world.answers[a].model, world.answers[b].model) == (
            found.model_a[i],
            found.model_b[i],
        )
        read[key, a, b, found.forward[i]] += 1
        if (backward := found.backward[i]) is not None:
            assert a < b  # an entry of both orders begins with the lower key
            read[key, b, a, backward] += 1
    plain = Counter((key, a, b, said) for (key, a, b, _, _), said in expected.items())
    assert read == plain
    singles = sum(backward is None for backward in found.backward)
    both = sum((k, b, a, t, s) in expected for k, a, b, t, s in expected) // 2
    assert len(found.judge) == singles + both == len(expected) - both


def test_scores_are_the_latest_of_each_reading(world: World) -> None:
    latest = {(s.judge_key, s.answer): s for s in world.scores}
    expected = Counter(
        (s.judge, s.answer, s.value)
        for s in latest.values()
        if s.judge not in world.aside and world.counts(s.answer)
    )
    found = world.store.evidence.scores()
    assert Counter(zip(found.judge, found.answer, found.value, strict=True)) == expected
    assert set(found.tie) <= {0.0}


def test_grades_are_the_latest_of_each_person_on_each_answer(world: World) -> None:
    latest = {(g.voter, g.answer): g for g in world.grades if g.key not in world.withdrawn}
    expected = Counter(
        (world.answers[g.answer].model, g.voter, g.value)
        for g in latest.values()
        if world.counts(g.answer)
    )
    found = world.store.evidence.grades()
    assert Counter(zip(found.model, found.voter, found.value, strict=True)) == expected


def test_outcomes_are_the_rules_and_a_judges_where_the_rule_found_nothing(world: World) -> None:
    stored: dict[str, Outcome] = {}
    for outcome in world.outcomes:
        stored.pop(outcome.key, None)  # put again, it is the latest
        stored[outcome.key] = outcome
    ruled: dict[tuple[str, str, str], Outcome] = {}
    judged: dict[tuple[str, str, str, str], Outcome] = {}
    for outcome in stored.values():
        about = outcome.model, outcome.variant, outcome.item
        if outcome.marker.startswith("judge"):
            judged[*about, outcome.request] = outcome
        else:
            ruled[about] = outcome
    expected = {}
    for about, outcome in ruled.items():
        marked = judged.get((*about, outcome.request))
        if outcome.model not in world.aside:
            counts = marked if outcome.marker == NOBODY and marked else outcome
            expected[about] = counts.value, counts.marker
    found = world.store.evidence.outcomes()
    read = {
        (found.model[i], found.variant[i], found.item[i]): (found.value[i], found.marker[i])
        for i in range(len(found.model))
    }
    assert read == expected
    assert len(found.model) == len(expected)


def test_pairs_that_can_be_shown_have_two_texts_on_a_prompt(world: World) -> None:
    shared: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for prompt, first, second in world.pairs():
        texts = not (first.is_absent or second.is_absent)
        if texts and first.model < second.model and not {first.model, second.model} & world.aside:
            shared[first.model, second.model].add(prompt.key)
    found = world.store.evidence.pairs()
    assert {
        (a, b): n for a, b, n in zip(found.model_a, found.model_b, found.prompts, strict=True)
    } == {pair: len(prompts) for pair, prompts in shared.items()}
    for (a, b), prompts in shared.items():
        assert {p for p, _, _ in world.store.evidence.shared_prompts(a, b)} == prompts
    given = Counter(
        frozenset((world.answers[v.first].model, world.answers[v.second].model))
        for v in world.votes
        if v.battle not in world.withdrawn
    )
    for a, b, votes in zip(found.model_a, found.model_b, found.votes, strict=True):
        assert votes == given[frozenset((a, b))]


def test_answers_are_measured_in_characters_where_there_is_a_text(world: World) -> None:
    lengths = defaultdict(list)
    for answer in world.answers.values():
        if not answer.is_absent and answer.model not in world.aside:
            lengths[answer.model].append(len(answer.turns[0]))
    found = world.store.evidence.answers()
    assert found.model == sorted(lengths)
    assert found.answers == [len(lengths[name]) for name in found.model]
    assert found.mean_length == pytest.approx(
        [sum(lengths[name]) / len(lengths[name]) for name in found.model]
    )
    shown = {(m, k) for m, _, k in world.store.evidence.shown_answers()}
    assert shown == {
        (a.model, a.key)
        for a in world.answers.values()
        if not a.is_absent and a.model not in world.aside
    }


def test_what_a_person_has_seen_is_known_whether_it_stands_or_not(world: World) -> None:
    for voter in ("v1", "v2", "nobody"):
        assert world.store.evidence.pairs_shown_to(voter) == {
            frozenset((v.first, v.second)) for v in world.votes if v.voter == voter
        }
        assert world.store.evidence.answers_shown_to(voter) == {
            g.answer for g in world.grades if g.voter == voter
        }


def test_a_copy_holds_every_row_and_is_a_file_of_its_own(world: World) -> None:
    path = world.store.path.with_name("copy.db")
    world.store.copy_to(path)
    copy = Store(path)
    assert copy.counts() == world.store.counts()
    assert copy.evidence.votes() == world.store.evidence.votes()
    assert copy.evidence.verdicts() == world.store.evidence.verdicts()
    assert [*copy.votes.broken()] == []
    before = world.store.counts()
    copy.put_prompts([next(iter(world.prompts.values())).until(0)])
    assert copy.counts() != before
    assert world.store.counts() == before
