"""A ranking inside a Markdown file of somebody's own, between two markers."""

from pathlib import Path

from arena.interchange.exchange.outgoing import one_file
from arena.leaderboard.board import Leaderboard
from arena.leaderboard.formats import to_markdown
from arena.records.errors import InputError

BEGIN, END = "<!-- arena:begin -->", "<!-- arena:end -->"


def write_between(file: Path, board: Leaderboard) -> bool:
    """Put the ranking between the markers of a file; whether that changed anything.

    Raises InputError where the file has not each marker once, in order.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: it cannot be read as text ({error})") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in before + after:
        raise InputError(
            f"{file}: the ranking goes between a line {BEGIN} and, below it, a line {END}; write "
            "each of them once"
        )
    new = f"{before}{BEGIN}\n{to_markdown(board)}{END}{after}"
    if new != text:
        with one_file(file, ("",)) as partial:
            partial.write_bytes(new.encode())
            partial.chmod(file.stat().st_mode)
    return new != text
