"""A copy of a database in which there is what everybody may see, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arena.interchange.exchange.source import Outgoing
from arena.publish.data.publication import public_weights, without_folder
from arena.publish.examples import public_prompts
from arena.store import Store
from arena.store.whole.tables import VOTERS, with_voter

Row = dict[str, Any]
# Not what voters wrote or took back, what is withheld, and what only spares asking models again.
PUBLIC = (
    *("prompts", "models", "judges", "answers", "unanswered", "verdicts", "scores", "rankings"),
    *("checks", "outcomes", "probes", "votes", "grades", "archived", "policies", "in_use"),
)
_NAMES = {"votes": "battle"}
_REACHED_BY = ("base_url", "api_key_env", "extra_headers")


def copy_public(store: Store, path: Path) -> None:
    """Write a new database; keys, and the order of rows, stay.

    Voters are numbered, and what they wrote or took back stays out. So does what the site does
    not show: prompts and models that are withheld, what visitors asked in live battles, and
    folders and addresses of whoever ran the models.
    """
    public, copy = Public(store), Store(path)
    try:
        with copy.together():
            for table in PUBLIC:
                copy.whole.add(table, ((table, row) for row in public.rows(table)))
    finally:
        copy.close()


class Public:
    """Which rows of a database are for everybody, and what they say then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._voter = Outgoing(store).voter
        hidden = store.withheld("model")
        models = (model for model in store.models(archived=True) if model.name not in hidden)
        self._weights = {model.name: public_weights(model) for model in models}
        self._prompts = {prompt.key for prompt in public_prompts(store)}
        self._answers = {
            answer.key
            for answer in store.answers.where()
            if answer.prompt_key in self._prompts and answer.model in self._weights
        }
        self._standing = {
            "votes": {vote.battle for vote in store.votes.where()},
            "grades": {grade.key for grade in store.grades.where()},
        }

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table."""
        for row in self._store.whole.rows(table):
            if self._is_public(table, row):
                yield self._as_told(table, row)

    def _is_public(self, table: str, row: Row) -> bool:
        if table in self._standing and row[_NAMES.get(table, "key")] not in self._standing[table]:
            return False
        prompt = row["key"] if table == "prompts" else row.get("prompt_key")
        model = row["name"] if table in ("models", "in_use") else row.get("model")
        answers = [row[name] for name in ("first", "second", "answer") if name in row]
        answers += [row["key"]] if table == "answers" else json.loads(row.get("answers", "[]"))
        return (
            (prompt is None or prompt in self._prompts)
            and (model is None or model in self._weights)
            and self._answers.issuperset(answers)
        )

    def _as_told(self, table: str, row: Row) -> Row:
        if table in VOTERS:
            return with_voter(table, row, self._voter)
        if table == "prompts":
            return row | {"source": Path(row["source"]).name}
        if table == "models":
            spec = json.loads(row["spec"]) | self._weights[row["name"]]
            return row | {"spec": json.dumps(spec, ensure_ascii=False)}
        if table == "judges":
            return row | {"card": _without_addresses(row["card"])}
        return row


def _without_addresses(card: str) -> str:
    found = json.loads(card)
    if isinstance(model := found.get("model"), dict):
        found["model"] = {name: model[name] for name in model if name not in _REACHED_BY}
    if isinstance(weights := found.get("weights"), str):
        found["weights"] = without_folder(weights)
    return json.dumps(found, ensure_ascii=False)
