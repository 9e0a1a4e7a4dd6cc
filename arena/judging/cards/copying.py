"""A judge card copied, with its templates, to be changed."""

from pathlib import Path

from arena.files.encodings import read_text
from arena.judging.cards.card import load_card
from arena.records.errors import InputError


def copy_card(name: str, new: str, home: Path) -> Path:
    """Write card `name` and its templates as `new` into `judges/` of `home`; returns the card.

    A file that is there already is never overwritten: raises InputError, and writes nothing.
    """
    if not new or Path(new).name != new or new.endswith(".yaml"):
        raise InputError(f"{new!r} is no name for a card; take one such as my-judge")
    card, folder = load_card(name, home), home / "judges"
    text = read_text(card.path)
    files: dict[Path, str] = {}
    for template in dict.fromkeys(t.path for t in card.templates.values()):
        own = template.name.removeprefix(card.name).removeprefix(".").removeprefix("-")
        copy = f"{new}.{own}"
        files[folder / copy] = read_text(template)
        text = text.replace(template.name, copy)
    files[folder / f"{new}.yaml"] = text
    if there := [path for path in files if path.exists()]:
        raise InputError(f"{there[0]} is there already, and stays as it is; take another name")
    try:
        folder.mkdir(exist_ok=True)
        for path, content in files.items():
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written to ({error.strerror})") from error
    return folder / f"{new}.yaml"
