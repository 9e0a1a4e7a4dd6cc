"""A Space of Hugging Face that runs the app on a copy of the database.

It holds all that it needs: the package, what it is built of, the database, and its settings.
"""

from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns, rmtree

import yaml

import arena
from arena.config import Config
from arena.files.assets import builtin
from arena.leaderboard.board import DECISIVE, Policy
from arena.publish.data.public import copy_public
from arena.publish.outlets.huggingface import check_free, license_of, write_card
from arena.records.errors import InputError
from arena.store import Store

DATABASE, PACKAGE = "arena.db", "arena"
FILES = ("Dockerfile", "start.sh", "requirements.txt", "arena.yaml", DATABASE, PACKAGE)
_ASSETS = ("judges", "prompts", "data")
# Whose word on a visitor's address is taken: what is in front of a container asks from there.
_PROXIES = ["10.0.0.0/8"]
_SHOWN_AT = "https://huggingface.co"  # whose page of a Space has the app in a frame
_SAID = (
    "People vote here on the answers of models. The database is a copy, in which voters are "
    "numbered. Without storage at /data, votes are lost when the Space restarts."
)


def write_app(store: Store, place: Path, policy: Policy, config: Config) -> None:
    """Write the folder of a Space that runs the app.

    Voters are numbered, and what is withheld stays out. config: what of it decides a ranking is
    the app's, too. Raises InputError where a file there is somebody else's.
    """
    check_free(place, FILES)
    place.mkdir(parents=True, exist_ok=True)
    front = {"sdk": "docker", "app_port": 7860, **license_of(policy.license)}
    write_card(place, {"title": policy.title, "emoji": "🏟️", **front}, policy.title, [_SAID])
    for name in ("Dockerfile", "start.sh"):
        copyfile(Path(__file__).with_name(name), place / name)
    (place / "requirements.txt").write_text("\n".join([*_requirements(), ""]))
    settings = config.model_dump(mode="json", include=set(DECISIVE), exclude_unset=True)
    settings["app"] = {"trusted_proxies": _PROXIES, "framed_by": [_SHOWN_AT]}
    (place / "arena.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    _copy_package(place / PACKAGE)
    for old in place.glob(f"{DATABASE}*"):
        old.unlink()
    copy_public(store, place / DATABASE)


def _requirements() -> list[str]:
    """What the package needs, without its extras."""
    try:
        return [line for line in requires("arena-llm") or () if "extra ==" not in line]
    except PackageNotFoundError as error:
        raise InputError(
            "arena-llm is not installed here, so what it needs is not known"
        ) from error


def _copy_package(place: Path) -> None:
    """The package with what a wheel has beside its code."""
    if place.exists():
        rmtree(place)
    without = ignore_patterns("__pycache__")
    copytree(Path(arena.__file__).parent, place, ignore=without)
    for name in _ASSETS:
        copytree(builtin(name), place / "_assets" / name, ignore=without, dirs_exist_ok=True)
