"""Whole judge runs, by fakes and by the embedded model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from arena.config import parse_model
from arena.judging import Wanted, judge, list_cards, load_card
from arena.judging.judge import open_backend
from arena.leaderboard.evidence.gathering import gather
from arena.records import REPAIRED, Mode, Prompt
from arena.records.errors import InputError, UnavailableError, UnknownNameError
from arena.store import Store
from tests.servers import serve

Write = Callable[..., str]


def test_every_pair_is_judged_in_both_orders_once(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    (progress,) = judge(answered, card, prompts)
    assert (progress.total, progress.stored) == (18, 18)
    shown = [(v.first, v.second) for v in answered.verdicts.where()]
    assert len(set(shown)) == 18
    assert {(b, a) for a, b in shown} == set(shown)
    (again,) = judge(answered, card, prompts)
    assert (again.found, again.stored) == (18, 0)


def test_a_baseline_leaves_the_other_pairs_out(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("j", "fake:first"), answered.home)
    judge(answered, card, prompts, models=["long"], wanted=Wanted(baseline="middle"))
    verdicts = answered.evidence.verdicts()
    assert {frozenset(p) for p in zip(verdicts.model_a, verdicts.model_b, strict=True)} == {
        frozenset(("long", "middle"))
    }


def test_a_judge_that_prefers_length_ranks_by_length(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for reading in ("reasoned", "logit"):
        name = write_card(f"j-{reading}", "fake:longer", reading)
        judge(answered, load_card(name, answered.home), prompts)
    evidence = gather(answered)
    for name, report in evidence.reports.items():
        assert report.flips.value == 0, name
        assert report.first_slot.value == 0.5, name
        assert report.objection is None
    wins = evidence.judges["j-reasoned"]
    long, short = wins.models.index("long"), wins.models.index("short")
    assert all(
        outcome == (i == long)
        for i, j, outcome in zip(wins.i, wins.j, wins.outcome, strict=True)
        if {i, j} == {long, short}
    )


def test_a_judge_that_always_takes_the_first_flips_always(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    for reading in ("reasoned", "logit"):
        name = write_card(f"f-{reading}", "fake:first", reading)
        judge(answered, load_card(name, answered.home), prompts)
        evidence = gather(answered)
        report = evidence.reports[name]
        assert (report.flips.value, report.first_slot.value) == (1.0, 1.0)
        assert report.objection is not None
        assert "100.0%" in str(report.objection)
        assert list(evidence.judges[name].outcome) == pytest.approx([0.5] * 9)


def test_what_cannot_be_read_is_stored_and_counts_for_nobody(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("m", "fake:mute"), answered.home)
    assert judge(answered, card, prompts)[0].unparsed == 18
    assert gather(answered).judges == {}
    (text,) = {v.text for v in answered.verdicts.where()}
    assert text.split(REPAIRED) == ["I would rather not say."] * 2


def test_scores_become_comparisons_where_no_verdict_is(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    card = load_card(write_card("s", "fake:first"), answered.home)
    (progress,) = judge(answered, card, prompts, Mode.SCORE)
    assert progress.stored == 9
    assert {score.value for score in answered.scores.where()} == {7.0}
    assert list(gather(answered).judges["s"].outcome) == [0.5] * 9


def test_another_template_is_another_judge(
    answered: Store, prompts: list[Prompt], write_card: Write
) -> None:
    name = write_card("j", "fake:longer")
    before = load_card(name, answered.home)
    judge(answered, before, prompts)
    path = answered.home / "judges" / "j.md"
    path.write_text(path.read_text() + "Be strict.")
    after = load_card(name, answered.home)
    assert after.key(Mode.PAIRWISE) != before.key(Mode.PAIRWISE)
    assert after.key(Mode.SCORE) == before.key(Mode.SCORE)
    assert judge(answered, after, prompts)[0].stored == 18
    notes = [str(note) for note in gather(answered).notes]
    assert any("18 judgements of an earlier card of j" in note for note in notes)


def test_one_order_is_said(answered: Store, prompts: list[Prompt], write_card: Write) -> None:
    card = load_card(write_card("j", "fake:longer"), answered.home)
    judge(answered, card, prompts, wanted=Wanted(both_orders=False))
    report = gather(answered).reports["j"]
    assert (report.pairs, report.one_order, report.flips.n) == (9, 9, 0)


@pytest.mark.model
def test_the_embedded_judge_reads_its_odds_in_both_orders(
    answered: Store, prompts: list[Prompt]
) -> None:
    judge(answered, load_card("smollm2", answered.home), prompts[:1])
    verdicts = list(answered.verdicts.where())
    assert len(verdicts) == 6
    for verdict in verdicts:
        assert verdict.mass is not None
        assert verdict.p_first is not None
        assert 0.5 < verdict.mass <= 1
        assert verdict.p_first + (verdict.p_second or 0) == pytest.approx(1)


def test_nothing_to_judge_is_said(store: Store, prompts: list[Prompt], write_card: Write) -> None:
    card = load_card(write_card("j", "fake:first"), store.home)
    with pytest.raises(InputError, match="arena generate"):
        judge(store, card, prompts)
    with pytest.raises(UnknownNameError, match="nobody"):
        judge(store, card, prompts, models=["nobody"])


def test_unknown_judges_and_modes(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'smollm2'"):
        load_card("smolm2", tmp_path)
    names = {card.name for card in list_cards(tmp_path)}
    assert {"smollm2", "internlm2-20b"} <= names


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (
            "readings: logit\n",
            "readings: unknown key, did you mean reading; allowed here: cascade, ",
        ),
        ("start: 3\n", "start: 3: must be text"),
    ],
)
def test_a_bad_card_is_named(tmp_path: Path, write_card: Write, extra: str, said: str) -> None:
    name = write_card("j", "smollm2", extra=extra)
    with pytest.raises(InputError) as caught:
        load_card(name, tmp_path)
    assert said in str(caught.value)


def test_a_logit_scale_must_be_single_digits(tmp_path: Path, write_card: Write) -> None:
    write_card("j", "smollm2", "logit")
    path = tmp_path / "judges" / "j.yaml"
    path.write_text(path.read_text().replace("[1, 9]", "[1, 10]"))
    with pytest.raises(InputError, match="one digit"):
        load_card("j", tmp_path)


def test_internlm2_20b_runs_on_a_server(answered: Store, prompts: list[Prompt]) -> None:
    weights = "internlm/internlm2-chat-20b"
    with serve(lambda body: "第一个更好。[[A]]", models=(weights,)) as served:
        card = load_card("internlm2-20b", answered.home, base_url=served.url)
        (progress,) = judge(answered, card, prompts)
    assert (progress.stored, progress.unparsed) == (18, 0)
    assert {call["model"] for call in served.calls} == {weights}
    texts = [call["messages"][-1]["content"] for call in served.calls]
    assert any("参考" not in text and "公正的评审" in text for text in texts)
    assert any("This reference answer has been checked" in text for text in texts)


def test_a_judge_that_is_not_running_says_how_to_start_it(
    answered: Store, prompts: list[Prompt]
) -> None:
    url = "http://127.0.0.1:9/v1"
    card = load_card("internlm2-20b", answered.home, base_url=url)
    with pytest.raises(UnavailableError) as caught:
        judge(answered, card, prompts)
    message = str(caught.value)
    assert "vllm serve internlm/internlm2-chat-20b" in message
    assert url in message
    assert "\n" not in message
    assert answered.verdicts.count() == 0
    assert answered.judges.count() == 0


def test_an_address_changes_neither_the_judge_nor_its_verdicts(tmp_path: Path) -> None:
    here = load_card("internlm2-20b", tmp_path)
    there = load_card("internlm2-20b", tmp_path, base_url="http://far:1/v1")
    other = load_card("internlm2-20b", tmp_path, weights="smollm2")
    assert here.key(Mode.PAIRWISE) == there.key(Mode.PAIRWISE) != other.key(Mode.PAIRWISE)
    assert open_backend(other.model) is not None
    assert other.model.weights == parse_model("smollm2").weights


def test_cards_that_say_the_same_are_said_to_be_one_judge(
    answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    cards = [load_card(write_card("one", "fake:longer"), answered.home)]
    (answered.home / "judges" / "two.yaml").write_text(
        (answered.home / "judges" / "one.yaml").read_text()
    )
    cards.append(load_card("two", answered.home))
    (first,), (second,) = (judge(answered, card, prompts) for card in cards)
    assert (first.stored, first.notes) == (18, ())
    assert (second.stored, second.found) == (0, 18)
    (note,) = second.notes
    assert note.startswith("The cards of two and one say the same, so they are one judge")
    assert answered.verdicts.count(judge="two") == 0
    (again,) = judge(answered, cards[0], prompts)
    assert again.notes == ()  # its own name is no twin
