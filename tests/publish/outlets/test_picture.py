import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from PIL import Image

from arena.leaderboard.board import Leaderboard
from arena.publish.outlets.picture import LEFT, NAME, RIGHT, to_svg, write_picture
from arena.records.errors import InputError
from tests.boards import make_board, make_row

SVG = "{http://www.w3.org/2000/svg}"


def drawn(board: Leaderboard, title: str = "T") -> Xml.Element:
    return Xml.fromstring(to_svg(board, title))


def test_each_model_has_a_name_a_dot_and_an_interval(board: Leaderboard) -> None:
    svg = drawn(board, "My arena")
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts[0] == "My arena"
    for row in board.rows:
        assert row.model in texts
    dots = [float(dot.get("cx", "")) for dot in svg.iter(f"{SVG}circle")]
    assert dots == sorted(dots, reverse=True)
    lines = [line for line in svg.iter(f"{SVG}line") if line.get("stroke-width") == "2"]
    for dot, line in zip(dots, lines, strict=True):
        assert LEFT <= float(line.get("x1", "")) < dot < float(line.get("x2", "")) <= RIGHT
    assert "judge-only" in (texts[-1] or "")


def test_it_asks_for_nothing_and_runs_nothing(board: Leaderboard) -> None:
    svg = to_svg(board, "<script>alert(1)</script>")
    assert "<script" not in svg
    assert not re.search(r"(href|url\(|@import|@font-face)", svg)
    assert re.findall("https?://[^\"' ]+", svg) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("letter", ["m", "模"])
def test_a_long_name_ends_before_the_chart(letter: str) -> None:
    """A letter of this size is some eight pixels wide, a Chinese one fourteen."""
    svg = drawn(make_board(make_row(letter * 90, 1), make_row("\x00b", 2)))
    (name,) = (t.text for t in svg.iter(f"{SVG}text") if t.text and t.text.startswith(letter))
    assert name.endswith("…")
    assert len(name) * (8 if letter == "m" else 15) <= LEFT - NAME


def test_without_a_ranking_it_says_so(board: Leaderboard) -> None:
    texts = [text.text for text in drawn(replace(board, rows=())).iter(f"{SVG}text")]
    assert "no ranking yet" in (texts[-1] or "")


def test_a_png_shows_the_same(board: Leaderboard, tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    write_picture(board, "T", tmp_path / "ranking.png", ".png")
    with Image.open(tmp_path / "ranking.png") as image:
        assert image.size == (1600, 2 * int(drawn(board).get("height", "")))
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 16) or []}
    assert {(255, 255, 255), (13, 107, 98)} <= colours  # the page, and the accent of its dots


def test_a_file_of_another_name_is_refused(board: Leaderboard, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"its name must end in \.svg"):
        write_picture(board, "T", tmp_path / "ranking.png", ".svg")
    assert list(tmp_path.iterdir()) == []
