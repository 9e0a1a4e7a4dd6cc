"""A small page of the ranking for an iframe of another page: no script, no request."""

from arena.leaderboard.board import Leaderboard
from arena.leaderboard.formats import decimals, ranked
from arena.publish.page import environment

# By language; each is shown as <iframe src="…/embed.html">.
FILES = {"en": "embed.html", "zh": "embed.zh.html"}
MOST = 20


def to_embed(board: Leaderboard, title: str, language: str) -> str:
    """The first ranks as one self-contained HTML document."""
    return (
        environment()
        .get_template("outlets/embed.html")
        .render(
            title=title,
            language=language,
            rows=ranked(board),
            most=MOST,
            places=board.places,
            decimals=decimals(board),
        )
    )
