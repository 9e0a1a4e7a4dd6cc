"""What is said of a step while it lasts."""

import time
from dataclasses import replace

import pytest

from arena.cli import progress
from arena.generation.batch import Progress
from arena.records import Usage


def heard(capsys: pytest.CaptureFixture[str], text: str) -> str:
    """What is said until a text has come; a test that hangs tells nobody what it waits for."""
    said = ""
    for _ in range(12_000):
        said += capsys.readouterr().err
        if text in said:
            return said
        time.sleep(0.01)
    raise AssertionError(f"{text!r} never came; what was said is {said!r}")


def test_where_there_is_no_terminal_lines_tell_how_far_a_step_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.01)
    with progress.watched() as tracker:
        control = tracker("m answers")
        control.on_progress(Progress("answer", 8, found=2, stored=1))
        heard(capsys, "m answers: 3 of 8")
        control.on_progress(Progress("answer", 8, found=2, stored=6, ended=True))
    ended = capsys.readouterr().err
    assert "m answers: 6 new, 2 already there" in ended
    assert "3 of 8" not in ended.rpartition("6 new")[2]


def test_a_running_step_says_its_rate_and_what_is_left() -> None:
    step = Progress("answer", 40, found=4, stored=12, seconds=60.0)
    assert progress.standing(step, 61.0) == (
        "16 of 40, 61 s since the start, 12.0 rows/min, about 2.0 min left"
    )
    begun = Progress("answer", 40, under_way=2.5, seconds=5.0)
    assert progress.standing(begun, 6.0) == (
        "2 of 40, 6 s since the start, 30.0 rows/min, about 75 s left"
    )
    loading = Progress("answer", 40, doing="loading smollm2")
    assert progress.standing(loading, 5.0) == "0 of 40, 5 s since the start, loading smollm2"
    assert progress.standing(Progress("answer", 40), 5.0) == "0 of 40, 5 s since the start"
    options = Progress("benchmark", 8, stored=2, seconds=4.0, unit="texts")
    assert progress.standing(options, 4.0).startswith("2 of 8 texts, ")
    assert progress.rate(options) == "30.0 texts/min"
    assert progress.summary(options).startswith("2 new texts, 0 already there")
    again = Progress("pairwise", 48, under_way=40.0, again=16, seconds=80.0)
    assert progress.standing(again, 81.0) == (
        "40 of 48, 81 s since the start, 16 unreadable replies asked for once more, "
        "30.0 rows/min, about 16 s left"
    )


@pytest.mark.parametrize("done", [1, 30, 4000])
def test_a_rate_has_one_unit_however_fast_a_step_is(done: int) -> None:
    read = Progress("pairwise", 9000, stored=done, seconds=60.0)
    assert progress.rate(read).endswith(" rows/min")
    written = replace(read, usage=Usage(completion_tokens=60_000))
    assert progress.rate(written) == f"{progress.rate(read)}, 1,000 tokens/s"


def test_a_bar_of_a_step_that_gets_ready_shows_no_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with progress.watched() as tracker:
        tracker("m answers")
    said = capsys.readouterr().err
    assert "getting ready" in said
    assert "None" not in said
    with progress.watched() as tracker:
        tracker("m answers").on_progress(Progress("answer", 8, found=2))
    assert "2/8" in capsys.readouterr().err


def test_a_step_that_is_silent_does_not_seem_nearer_its_end() -> None:
    """A text of 50,000 characters takes minutes, in which no row is done."""
    step = Progress("canaries", 56, stored=14, seconds=28.0)
    assert "about 84 s left" in progress.standing(step, 28.0)
    assert progress.standing(step, 88.0, silent=60.0) == (
        "14 of 56, 88 s since the start, 9.5 rows/min, about 4.4 min left"
    )


def test_each_step_is_told_of_within_the_first_seconds_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.5)
    monkeypatch.setattr(progress, "LINE_SECONDS", 1e9)  # later lines never come
    with progress.watched() as tracker:
        tracker("nothing to do")
        tracker("a library is imported")
        said = heard(capsys, "a library is imported: getting ready")
        control = tracker("j judges")
        control.on_progress(Progress("pairwise", 4))
        said += heard(capsys, "j judges: 0 of 4")
        control.on_progress(Progress("pairwise", 4, stored=4, ended=True))
    said += capsys.readouterr().err
    assert "nothing to do" not in said
    assert [line.split(",")[0] for line in said.splitlines()] == [
        "a library is imported: getting ready",
        "j judges: 0 of 4",
        "j judges: 4 new",
    ]


def test_where_there_is_no_terminal_a_line_says_how_many_replies_are_asked_for_once_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.watched() as tracker:
        control = tracker("j judges")
        for rows in (30.0, 31.0):
            control.on_progress(Progress("pairwise", 48, under_way=rows, again=16))
    assert capsys.readouterr().err == "j judges: 16 unreadable replies asked for once more\n"
