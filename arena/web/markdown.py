"""Text of models and people made harmless before it is shown as Markdown.

No tag of it is markup and nothing that it names is loaded, whatever the browser would have
made of it: the page's sanitiser and its Content-Security-Policy stand behind this, not before.
"""

import re

# What Markdown shows as it stands, and so must we: fenced and inline code; then mathematics.
_KEPT = re.compile(
    r"(?P<code>^(?P<indent>[ \t>]*)(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n.*?"
    r"(?:(?P<close>^[ \t>]*(?P=fence)[`~]*[ \t]*$)|\Z)"
    r"|(?<!`)(?P<ticks>`++)(?:(?!\n\s*\n).){1,4000}?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<maths>\$\$.{1,2000}?\$\$|(?<![\\$\w])\$(?=\S)[^$\n]{1,500}?(?<=\S)\$(?!\w)"
    r"|\\\(.{1,2000}?\\\)|\\\[.{1,2000}?\\\])",
    re.DOTALL | re.MULTILINE,
)
_NAME = re.compile(r"([\\`*_{}\[\]<>#|~$!])")
DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
    {"left": "\\(", "right": "\\)", "display": False},
    {"left": "\\[", "right": "\\]", "display": True},
]


def harmless(text: str) -> str:
    """Markdown in which tags are plain text and pictures are links."""
    parts, end = [], 0
    for found in _KEPT.finditer(text):
        parts.append(_plain(text[end : found.start()]))
        whole = found[0]
        parts.append(whole if found["code"] else whole.replace("<", r"\lt "))
        end = found.end()
    return "".join([*parts, _plain(text[end:])])


def closed(text: str) -> str:
    """Markdown in which no block of code is left open, so that more can stand after it."""
    *_, last = [None, *_KEPT.finditer(text)]
    if last is None or not last["fence"] or last["close"] is not None:
        return text
    return f"{text}\n{last['indent']}{last['fence']}"


def as_text(text: str) -> str:
    """A name or a sentence as Markdown that shows it letter by letter, on one line."""
    return _NAME.sub(r"\\\1", " ".join(text.split()))


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("![", "!&#91;")
