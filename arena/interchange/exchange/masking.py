"""What must not leave the house with a text, and cells that a spreadsheet would run."""

import re

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_KEYS = re.compile(
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}"
    r"|\bgithub_pat_\w{20,}|\bhf_[A-Za-z0-9]{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL | re.ASCII,
)
# With a country's code, or in groups; numbers of a calculation are not told apart by fewer digits.
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]\d{3,4}|\d{3}[ .-]\d{3,4}[ .-]\d{4}|1[3-9]\d{9})(?![\w-])",
    re.ASCII,
)


def redacted(text: str) -> str:
    """A text with e-mail addresses, keys and telephone numbers taken out, as far as they show."""
    for pattern, mark in ((_KEYS, "[key]"), (_MAIL, "[email]"), (_PHONE, "[phone]")):
        text = pattern.sub(mark, text)
    return text
