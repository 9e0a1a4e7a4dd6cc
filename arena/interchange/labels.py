"""Who won, in the words that files have for it."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.files.tabular import Column, Table
from arena.ratings.arrays import Bools, Ints
from arena.records import Winner, tidy
from arena.records.errors import said

UNPARSED = "unparsed"
ALLOWED = ("model_a", "model_b", "tie", "tie (bothbad)", "both_bad")
_BLANKS = re.compile(r"[\s_]+")
_BRACKETED, _COMPARES = re.compile(r"\[\[([^\[\]]+)\]\]"), re.compile("[<>=]")
_WORDS: dict[str, str] = {
    "model_a": Winner.MODEL_A,
    "model_b": Winner.MODEL_B,
    "tie": Winner.TIE,
    "bothbad": Winner.BOTH_BAD,
    "both_bad": Winner.BOTH_BAD,
    "tie_(bothbad)": Winner.BOTH_BAD,
    "tie_(both_bad)": Winner.BOTH_BAD,
    "tie_bothbad": Winner.BOTH_BAD,
    "tie(bothbad)": Winner.BOTH_BAD,
    "tie(both_bad)": Winner.BOTH_BAD,
    "draw": Winner.TIE,
    "equal": Winner.TIE,
    "a=b": Winner.TIE,
    "平局": Winner.TIE,
}
# Other words for the two sides. One file has one pair of them, or it is not certain what it means.
_PAIRS = (
    ("model_a", "model_b"),
    ("left", "right"),
    ("a", "b"),
    ("1", "2"),
    ("a>b", "b>a"),
    ("a_win", "b_win"),
    ("a_wins", "b_wins"),
    ("assistant_a", "assistant_b"),
    ("response_a", "response_b"),
    ("answer_a", "answer_b"),
)
_SIDES = {word: k for k, pair in enumerate(_PAIRS) for word in pair}
_FLAGS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
_RULE = f"allowed are {', '.join(ALLOWED)}, or the name of the model that won"
ONE_HOT = {
    "winner_model_a": Winner.MODEL_A,
    "winner_model_b": Winner.MODEL_B,
    "winner_tie": Winner.TIE,
    "winner_both_bad": Winner.BOTH_BAD,
}

Problem = tuple[int, str]


def winners(
    table: Table, model_a: Column, model_b: Column, *, unparsed: bool = False
) -> tuple[Column, Problem | None]:
    """The column `winner` in the words of `Winner`, and the first row that says nothing certain.

    unparsed: whether that word is allowed as well. The second is a row, counted from 0, and what
    is wrong with it.
    """
    if "winner" not in table:
        return _from_flags(table)
    found, problem = _from_words(table["winner"], model_a, model_b, unparsed)
    if missing_flags(table) or problem:
        return found, problem
    flagged, problem = _from_flags(table)
    differ = np.array([a != b for a, b in zip(found, flagged, strict=True)])
    if problem or not differ.any():
        return found, problem
    row = int(differ.argmax())
    said_so = f"winner: {said(table['winner'][row])}"
    return found, (row, f"{said_so}, and winner_{flagged[row]} is 1; both must say the same")


class WinnerWords:
    """The same for rows that come one by one; they agree on the words for the two sides."""

    def __init__(self) -> None:
        self._pair: int | None = None

    def winner(self, label: Any, model_a: str, model_b: str) -> str:
        """The outcome of one row, or UNPARSED. Raises ValueError where it is not certain."""
        word = _word(label)
        if word in _WORDS or word == UNPARSED:
            return _WORDS.get(word, UNPARSED)
        if word in _SIDES and self._pair is None:
            self._pair = _SIDES[word]
        if word == "0" or (word in ("1", "2") and self._pair != _SIDES[word]):
            raise ValueError(
                f"winner: {said(label)}; 0, 1 and 2 mean different things in different files; "
                f"{_RULE}"
            )
        side = None if self._pair is None else _side(word, self._pair)
        named = _side_by_name(label, model_a, model_b)
        if side is not None and named is not None and side != named:
            raise ValueError(
                f"winner: {said(label)}; it is a side of the pair and the name of the other "
                "model; write model_a or model_b"
            )
        found = side or named
        if found is None:
            raise ValueError(f"winner: {said(label)}; {_RULE}")
        return found


def _side_by_name(label: Any, model_a: str, model_b: str) -> str | None:
    """The side whose name it is, in any case where that is certain."""
    if not isinstance(label, str):
        return None
    for fold in (str, str.casefold):
        name, first, second = (fold(tidy(one)) for one in (label, model_a, model_b))
        if (name == first) != (name == second):
            return Winner.MODEL_A if name == first else Winner.MODEL_B
    return None


def _from_words(
    column: Column, model_a: Column, model_b: Column, unparsed: bool
) -> tuple[Column, Problem | None]:
    words = [_word(label) for label in column.labels]
    known = {**_WORDS, **({UNPARSED: UNPARSED} if unparsed else {})}
    if all(word in known for word in words):
        return column.map(lambda label: known[_word(label)]), None
    pair = _pair(column, words)
    meant = [known.get(word) or _side(word, pair) for word in words]
    by_name = _named(column, model_a, model_b)
    outcomes = [*Winner, UNPARSED]
    codes = np.array([-1 if m is None else outcomes.index(m) for m in meant], np.int32)
    by_word = codes[column.codes]
    sure = np.array([word in known for word in words])[column.codes]
    clash = ~sure & (by_word >= 0) & (by_name >= 0) & (by_word != by_name)
    result = np.where(by_word >= 0, by_word, by_name)
    bad = clash | (result < 0)
    problem = _problem(column, bad, clash, words, pair) if bad.any() else None
    used, places = np.unique(np.where(bad, 0, result), return_inverse=True)
    return Column(places.astype(np.int32), [outcomes[k] for k in used]), problem


def _word(label: Any) -> str:
    """A label as it is compared: any case, blanks as they come; no text for what is no label."""
    if isinstance(label, int | float) and not isinstance(label, bool):
        label = str(label)
    if not isinstance(label, str):
        return ""
    word = _BLANKS.sub("_", tidy(label).casefold()).removesuffix(".0")
    if bracketed := _BRACKETED.fullmatch(word):  # as judges write it
        word = bracketed[1].strip("_")
    if _COMPARES.search(word):  # A>B, A>>B: how much better does not matter
        word = word.replace("_", "").replace(">>", ">").replace("<<", "<").replace("==", "=")
        left, turned, right = word.partition("<")
        word = f"{right}>{left}" if turned else "a=b" if word == "b=a" else word
    return word


def _pair(column: Column, words: Sequence[str]) -> int:
    """Which pair of words the file has for the two sides: that of its first row that has one."""
    pairs = np.array([_SIDES.get(word, -1) for word in words])[column.codes]
    there = np.flatnonzero(pairs >= 0)
    pair = int(pairs[there[0]]) if there.size else 0
    # 0, 1 and 2 are A, B and tie to some, and tie, A and B to others.
    return 0 if _PAIRS[pair] == ("1", "2") and "0" in words else pair


def _side(word: str, pair: int) -> str | None:
    if word not in _PAIRS[pair]:
        return None
    return (Winner.MODEL_A, Winner.MODEL_B)[_PAIRS[pair].index(word)]


def _named(column: Column, model_a: Column, model_b: Column) -> Ints:
    """(n,) 0 where the winner is written as the first model's name, 1 as the second's, else −1."""
    found = np.full(len(column), -1, dtype=np.int32)
    for fold in (str.casefold, str):  # exact names last, since they say more
        place: dict[str, int] = {}

        def codes(of: Column, fold: Any = fold, place: dict[str, int] = place) -> Ints:
            names = [fold(tidy(x)) if isinstance(x, str) else "" for x in of.labels]
            return np.array([place.setdefault(n, len(place)) for n in names], np.int32)[of.codes]

        w, a, b = codes(column), codes(model_a), codes(model_b)
        found[(w == a) & (w != b)] = 0
        found[(w == b) & (w != a)] = 1
    return found


def _problem(column: Column, bad: Bools, clash: Bools, words: Sequence[str], pair: int) -> Problem:
    row = int(bad.argmax())
    label, word = column[row], words[column.codes[row]]
    rule = _RULE
    if clash[row]:
        rule = "it is a side of the pair and the name of the other model; write model_a or model_b"
    elif word in ("0", "1", "2"):
        rule = f"0, 1 and 2 mean different things in different files; {_RULE}"
    elif word in _SIDES:
        rule = f"other rows have {' and '.join(_PAIRS[pair])} for the two sides; {_RULE}"
    return row, f"winner: {said(label)}; {rule}"


def _from_flags(table: Table) -> tuple[Column, Problem | None]:
    """One column for each outcome, of which exactly one is 1."""
    names = [name for name in ONE_HOT if name in table]
    flags = [table[name].map(_flag) for name in names]
    held = np.array(
        [np.array([f if f is not None else np.nan for f in c.labels])[c.codes] for c in flags]
    )
    bad = ~(held.sum(axis=0) == 1)
    used, codes = np.unique(held.argmax(axis=0), return_inverse=True)
    outcomes = Column(codes.astype(np.int32), [ONE_HOT[names[k]] for k in used])
    if not bad.any():
        return outcomes, None
    row = int(bad.argmax())
    values = ", ".join(said(table[name][row]) for name in names)
    return outcomes, (row, f"{', '.join(names)}: {values}; exactly one of them must be 1")


def _flag(value: Any) -> float | None:
    found = _FLAGS.get(str(value).strip().lower())
    return None if found is None else float(found)


def missing_winner(table: Table) -> bool:
    """Whether no column says who won."""
    return "winner" not in table and missing_flags(table)


def missing_flags(table: Table) -> bool:
    """Whether there is no column for each side that could have won."""
    return not {"winner_model_a", "winner_model_b"} <= set(table.columns)
