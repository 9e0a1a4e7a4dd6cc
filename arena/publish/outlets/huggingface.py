"""Folders to push to Hugging Face: a data set with its card, and a Space that shows the site."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.interchange.exchange.outgoing import write_parquet, write_rows
from arena.interchange.exchange.source import Outgoing
from arena.interchange.formats import table
from arena.leaderboard.board import Leaderboard, Policy
from arena.publish.data.published import Published
from arena.publish.data.tables import FOLDER, TABLES, table_rows
from arena.records.errors import InputError
from arena.store import Store

CARD = "README.md"
MADE_BY = "<!-- Written by arena publish, which writes it anew. -->"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_ANSWERS = ("prompt", "category", "language", "question", "model", "sample", "answer")
# What each part of the data set is, for its card.
_PARTS = {
    "battles": "people's votes and judges' verdicts, each with the question and both answers",
    "answers": "what each model answered",
    "rankings": "the rankings, of all prompts and of parts of them",
    "models": "what is known of each model beside its rating",
    "judges": "the report cards of the judges",
    "benchmarks": "scores in objective tests",
    "pairs": "how often two models met by each source, and how many wins the first of them had",
}
Front = Mapping[str, Any]


def write_dataset(store: Store, shown: Published, place: Path, *, redact: bool = False) -> None:
    """Write all that was asked, answered and judged, as Parquet, with a card that loads it.

    Voters are numbered, and what they wrote stays out, as do prompts and models that are withheld
    with all that was said of them. redact: without e-mail addresses, telephone
    numbers and keys in any text. Raises InputError where a file there is somebody else's.
    """
    check_free(place, [f"{FOLDER}/{name}.parquet" for name in _PARTS])
    data = place / FOLDER
    data.mkdir(parents=True, exist_ok=True)
    write_card(place, {}, shown.policy.title, [])
    source = Outgoing(store, redact=redact, public=True)
    counts = {"battles": table.write(source, data / "battles.parquet").counts.total()}
    path = data / "answers.parquet"
    counts["answers"] = write_rows(path, _answers(source), _ANSWERS, (".parquet",))
    for name, rows in table_rows(store, shown).items():
        counts[name] = write_parquet(data / f"{name}.parquet", rows, TABLES[name])
    told = [f"- `{name}` ({counts[name]:,} rows): {what}" for name, what in _PARTS.items()]
    told += ["", "What must be known of the ranking:", ""] if shown.board.notes else []
    told += [f"- {note}" for note in shown.board.notes]
    write_card(place, _front(store, shown.policy, counts), shown.policy.title, told)


def write_space(site: Path, board: Leaderboard, policy: Policy) -> None:
    """Write the card that makes the folder of a site a static Space."""
    front = {
        "title": policy.title,
        "emoji": "🏟️",
        "colorFrom": "green",
        "colorTo": "gray",
        "sdk": "static",
        "app_file": "index.html",
        **license_of(policy.license),
    }
    said = [f"{len(board.rows)} models, ranked by people's votes, judge models and benchmarks."]
    write_card(site, front, policy.title, said)


def check_free(place: Path, names: Sequence[str] = ()) -> None:
    """Raise InputError where the card, or a file of these names without it, is somebody else's."""
    card = place / CARD
    if card.is_file() and MADE_BY in card.read_text(encoding="utf-8", errors="replace"):
        return
    if taken := next((place / n for n in (CARD, *names) if (place / n).exists()), None):
        raise InputError(
            f"{taken} is no file that arena wrote, and stays as it is; name another folder"
        )


def _front(store: Store, policy: Policy, counts: Mapping[str, int]) -> Front:
    battles = counts["battles"]
    return {
        "pretty_name": policy.title,
        **license_of(policy.license),
        "language": sorted({prompt.language for prompt in store.prompts.where()}),
        "size_categories": [next((name for most, name in _SIZES if battles < most), "1M<n<10M")],
        "tags": ["leaderboard", "llm-evaluation", "human-feedback", "preference"],
        "configs": [
            {"config_name": name, "data_files": f"{FOLDER}/{name}.parquet"}
            for name in _PARTS
            if counts[name]
        ],
    }


def _answers(source: Outgoing) -> Iterator[dict[str, Any]]:
    for prompt, texts in source.answers():
        about = {"prompt": prompt.name, "category": prompt.category, "language": prompt.language}
        for text in texts:
            yield about | {
                "question": table.cell_of(prompt.turns),
                "model": text.model,
                "sample": str(text.sample),
                "answer": table.cell_of(text.turns or ()),
            }


def license_of(name: str) -> dict[str, str]:
    """A licence as cards have it: a word of theirs in small letters, or the name of another one."""
    if not name:
        return {}
    return {"license": "other", "license_name": name} if " " in name else {"license": name.lower()}


def write_card(place: Path, front: Front, title: str, lines: Sequence[str]) -> None:
    """Write the card. front: what Hugging Face reads of it."""
    import yaml

    head = yaml.safe_dump(dict(front), allow_unicode=True, sort_keys=False)
    text = "\n".join([f"---\n{head}---", MADE_BY, "", f"# {title}", "", *lines])
    (place / CARD).write_text(text + "\n", encoding="utf-8")
