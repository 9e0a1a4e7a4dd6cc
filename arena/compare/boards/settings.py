"""How a board was made, by setting, and a change of it in words."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from arena.records import Note
from arena.records.notes import load_sentences

JUDGE, PROMPTS_OF, COMPARISONS_OF = "judge ", "prompts of ", "comparisons of "
_OF = MappingProxyType(
    {JUDGE: "changed.judge", PROMPTS_OF: "changed.prompts_of", COMPARISONS_OF: "changed.of"}
)
_NOTHING = ("", "None", "–", "()", "[]")  # the last three in logs of earlier versions


def setting_text(value: object) -> str:
    """A setting as a board keeps it: a list as its members, what is not set as nothing."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def setting_note(name: str, old: str, new: str) -> Note:
    """A setting that is another one now, in words; a name that is not known stays as it is."""
    said = _known(f"changed.{name}", name)
    for of, code in _OF.items():
        if name.startswith(of):
            said = Note.of(code, name=name.removeprefix(of))
    if name == f"{COMPARISONS_OF}votes":
        said = Note.of("changed.of", name=Note.of("kind.human"))
    return Note.of("changes.setting", name=said, old=_value(name, old), new=_value(name, new))


def _value(name: str, value: str) -> Note | str:
    if value in _NOTHING:
        return Note.of("changed.nothing")
    return _VALUES[name](value) if name in _VALUES else value


def _known(code: str, otherwise: str) -> Note | str:
    return Note.of(code) if code in load_sentences("en") else otherwise


def _number(code: str, field: str) -> Callable[[str], Note | str]:
    def read(value: str) -> Note | str:
        try:
            return Note.of(code, **{field: float(value)})
        except ValueError:  # a board is a file, which anybody may have written
            return value

    return read


_VALUES: Mapping[str, Callable[[str], Note | str]] = MappingProxyType(
    {
        "method": lambda value: _known(f"method.{value}", value),
        "ties": lambda value: _known(f"method.ties.{value}", value),
        "interval": lambda value: _known(f"interval.{value}", value),
        "cluster": lambda value: _known(f"cluster.{value}", value),
        "evidence": lambda value: _known(f"kind.{value}", value),
        "label": lambda value: _known(f"label.{value}", value),
        "prior": _number("changed.points", "points"),
        "confidence": _number("changed.share", "share"),
        "style": lambda value: Note.of(
            "changed.all", names=tuple(_known(f"style.{one}", one) for one in value.split(", "))
        ),
    }
)
