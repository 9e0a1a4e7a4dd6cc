from pathlib import Path

import pytest

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.formats import to_markdown
from arena.publish.outlets.markdown import BEGIN, END, write_between
from arena.records.errors import InputError
from tests.boards import make_board, make_row


def test_the_text_around_it_stays_to_the_byte(board: Leaderboard, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    before, after = "# Mine\r\n\r\n中文 ", "\r\n\nThe end, without a newline"
    file.write_bytes(f"{before}{BEGIN}\nold\n{END}{after}".encode())
    file.chmod(0o640)
    assert write_between(file, board)
    written = file.read_bytes().decode()
    assert written == f"{before}{BEGIN}\n{to_markdown(board)}{END}{after}"
    assert file.stat().st_mode & 0o777 == 0o640
    assert not write_between(file, board)
    assert write_between(file, make_board(make_row("new", 1)))
    assert "greedy" not in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    "text",
    ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}", "\udcff"],
)
def test_a_file_without_the_markers_stays(board: Leaderboard, tmp_path: Path, text: str) -> None:
    file = tmp_path / "README.md"
    file.write_bytes(text.encode(errors="surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"README\.md: "):
        write_between(file, board)
    assert file.read_bytes() == before
