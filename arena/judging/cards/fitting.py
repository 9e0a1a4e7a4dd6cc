"""Judge prompts that fit the judge's context: long answers are cut, all of them alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A cautious count without the tokenizer: English has about 4 characters to a token; Chinese
# has at most a token to a character in a vocabulary made for it, and up to two in others.
ASCII_PER_TOKEN = 3.5
TOKENS_PER_OTHER = 2.0
LEAST_SHOWN = 40
_CUT = "\n[… {} characters cut …]"


@dataclass(frozen=True, slots=True)
class FittedAnswers:
    """A judge prompt. cut: whether answers had to be shortened for it."""

    text: str
    cut: bool

    @classmethod
    def within(
        cls,
        room: int | None,
        answers: Sequence[Sequence[str]],
        render: Callable[[Sequence[Sequence[str]]], str],
    ) -> "FittedAnswers":
        """Show as much of every text as `room` tokens allow, the same length of each.

        What does not fit even so goes out at its shortest, and the judge may refuse it.
        """
        whole = render(answers)
        if room is None or tokens(whole) <= room:
            return cls(whole, cut=False)
        longest = max(len(text) for answer in answers for text in answer)
        low, high = LEAST_SHOWN, max(LEAST_SHOWN, longest)
        while high - low > 1:
            middle = (low + high) // 2
            fits = tokens(render(_cut(answers, middle))) <= room
            low, high = (middle, high) if fits else (low, middle)
        return cls(render(_cut(answers, low)), cut=True)


def tokens(text: str) -> int:
    """About how many tokens a text has, rather too many than too few."""
    plain = sum(map(str.isascii, text)) if not text.isascii() else len(text)
    return int(plain / ASCII_PER_TOKEN + (len(text) - plain) * TOKENS_PER_OTHER)


def _cut(answers: Sequence[Sequence[str]], most: int) -> list[tuple[str, ...]]:
    return [
        tuple(t if len(t) <= most else t[:most] + _CUT.format(len(t) - most) for t in answer)
        for answer in answers
    ]
