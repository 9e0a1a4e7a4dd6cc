"""A ranking as it is shown: places, marks, how it was made, and the policy of a database."""

from dataclasses import replace

import pytest

from arena.config import Config
from arena.leaderboard.board import Mark, Origin, Policy, describe, keep_policy, policy_of
from arena.leaderboard.unranked import LABEL, ranked_or_not
from arena.ratings import Settings
from arena.records import Evidence
from arena.store import Store
from tests.boards import make_board, make_row, plain


def test_a_place_counts_whose_whole_interval_lies_above() -> None:
    rows = (
        make_row("a", 1, 1100.0, 10.0),
        make_row("b", 2, 1050.0, 45.0),
        make_row("c", 3, 1040.0, 5.0),
        make_row("d", 4, 1000.0, 20.0),
        make_row("e", 5, 900.0, 400.0),
    )
    assert make_board(*rows).places == {"a": 1, "b": 1, "c": 2, "d": 3, "e": 1}


def test_intervals_that_touch_are_not_apart() -> None:
    board = make_board(make_row("a", 1, 1020.0, 10.0), make_row("b", 2, 1000.0, 10.0))
    assert board.places == {"a": 1, "b": 1}


def test_a_note_that_a_mark_stands_for_is_not_shown_twice() -> None:
    general, particular = plain("About all."), plain("About a.")
    board = replace(
        make_board(make_row("a", 1), make_row("b", 2)),
        notes=(general, particular),
        marks=(Mark("a", particular),),
        marked=(particular,),
    )
    assert board.general == (general,)
    assert board.marks_of("a") == (particular,)
    assert board.marks_of("b") == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings("bradley-terry"), ("Bradley–Terry",)),
        (
            Settings("bradley-terry", interval="sandwich", cluster="prompt", clusters=9),
            ("95", "prompt"),
        ),
        (Settings("bradley-terry", interval="bootstrap", confidence=0.9), ("90", "bootstrap")),
        (Settings("bradley-terry", prior=400.0), ("400",)),
        (Settings("bradley-terry", ties="davidson"), ("Davidson",)),
        (Settings("bradley-terry", style=("length", "own column")), ("length", "own column")),
        (Settings("bradley-terry", anchor=("gpt-4", 1200.0)), ("gpt-4", "1200")),
        (Settings("bradley-terry", weighting="propensity"), ("propensit",)),
    ],
)
def test_how_it_was_made_names_every_setting_that_is_not_left_out(
    settings: Settings, words: tuple[str, ...]
) -> None:
    text = describe(settings).text("en")
    for word in words:
        assert word.casefold() in text.casefold(), text


def test_how_it_was_made_is_said_in_chinese() -> None:
    settings = Settings(
        "bradley-terry",
        interval="sandwich",
        cluster="prompt",
        style=("length",),
        prior=400.0,
        weighting="propensity",
    )
    text = describe(settings).text("zh")
    assert "长度" in text
    assert not any(word in text for word in ("interval", "prior", "prompt", "length"))


def test_a_database_without_a_policy_is_ranked_by_default(store: Store) -> None:
    assert policy_of(store, Config()) == Policy()
    assert policy_of(store, Config(port=80)).origin is Origin.DEFAULT


def test_the_last_run_decides_until_a_file_does(store: Store) -> None:
    config = Config.model_validate(
        {"title": "Ours", "rank": {"evidence": "human", "confidence": 0.9}, "judges": ["kai"]}
    )
    keep_policy(store, config)
    kept = policy_of(store, Config())
    assert (kept.title, kept.evidence, kept.origin) == ("Ours", Evidence.HUMAN, Origin.RUN)
    assert kept.judges == ("kai",)
    assert kept.fit.confidence == 0.9
    file = Config.model_validate({"rank": {"evidence": "judge"}})
    found = policy_of(store, file)
    assert (found.title, found.evidence, found.origin) == ("Arena", Evidence.JUDGE, Origin.FILE)
    assert policy_of(store, Config()) == kept


def test_a_judge_that_is_given_as_a_file_is_known_by_its_name() -> None:
    runs = ["judges/kai.yaml", "lea", {"judge": "kai", "mode": "score"}]
    policy = Policy.configured(Config.model_validate({"judges": runs}))
    assert policy.judges == ("kai", "lea")


def test_where_there_is_no_ranking_there_is_a_reason(store: Store, answered: Store) -> None:
    board, why = ranked_or_not(answered, Policy())
    assert why is not None
    assert board.label == LABEL
    assert board.rows == ()
    assert board.notes[0] == why.note
    assert board.settings.method == "none"
