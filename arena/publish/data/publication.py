"""`arena.json`: what a publication stands on, for programs. The models below are its schema."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from arena.files.strict import Strict
from arena.interchange.formats.store import digest_of
from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.formats import to_json
from arena.publish.data.published import Published
from arena.records import BackendKind, Judge, Model, Note
from arena.store import Store
from arena.store.whole.tables import SCHEMA

FILE = "arena.json"
DISTRIBUTION = "arena-llm"
SCHEMA_FILE = "arena.schema.json"
_LANGUAGES = ("en", "zh")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _said(words: str) -> Any:
    return Field(description=words)


class PublishedPlace(Strict):
    """One model's place in a ranking."""

    model: str
    rating: Annotated[float, _said("Elo points; the mean over models is 1000")]
    ci_low: Annotated[float | None, _said("lower end of the interval; null where it has none")]
    ci_high: Annotated[float | None, _said("upper end of the interval; null where it has none")]
    rank: Annotated[int, _said("from 1, by the rating")]
    rank_low: Annotated[int, _said("best rank that the evidence allows")]
    rank_high: Annotated[int, _said("worst rank that the evidence allows")]
    rank_by_upper_end: Annotated[int, _said("1 + the models whose whole interval lies above")]
    comparisons: Annotated[float, _said("comparisons that the model took part in")]
    p_best: Annotated[float, _said("probability that it is the best")]


class PublishedNote(Strict):
    """What must be known of a ranking, in each language."""

    code: str
    en: str
    zh: str


class PublishedRanking(Strict):
    """One ranking."""

    evidence: Annotated[str, _said("combined, human, judge or objective")]
    label: Annotated[str, _said("human-anchored, judge-only or objective-only")]
    group: Annotated[str, _said("the category or language; empty for all prompts")]
    method: str
    settings: Annotated[dict[str, Any], _said("of the fit, its seed included")]
    counts: Annotated[dict[str, float], _said("comparisons by source")]
    notes: list[PublishedNote]
    models: Annotated[list[PublishedPlace], _said("the highest rating first")]
    unrated: Annotated[list[dict[str, Any]], _said("models with too few comparisons to be rated")]


class PublishedModel(Strict):
    """A candidate, and what its answers depend on."""

    name: str
    key: Annotated[str, _said("digest of weights, revision and decoding")]
    backend: str
    weights: str
    revision: str | None
    decoding: dict[str, Any]
    organization: str | None
    license: str | None


class PublishedJudge(Strict):
    """A judge; its latest card."""

    name: str
    key: Annotated[str, _said("digest of the card and its template")]
    counts: Annotated[bool, _said("whether the first ranking takes it into account")]


class TableDigest(Strict):
    """What one table of the database held."""

    rows: int
    digest: Annotated[str, _said("SHA-256 of what tells the rows, or the head of their chain")]


class PublishedFile(Strict):
    """Another file of the publication."""

    path: str
    bytes: int
    sha256: str


class Publication(Strict):
    """A publication of the arena: its rankings, and all that they stand on."""

    format: Literal["arena-publication"] = "arena-publication"
    version: Literal[1] = 1
    title: str
    license: Annotated[str | None, _said("of what is published; null where nobody said")]
    package: Annotated[str, _said("version of arena-llm that wrote this")]
    store_schema: str
    updated: Annotated[str | None, _said("time of the newest row of evidence, UTC")]
    settings: Annotated[dict[str, Any], _said("by which the database was ranked, seeds included")]
    digests: Annotated[dict[str, TableDigest], _said("by table of the database")]
    prompts: Annotated[dict[str, int], _said("how many, by the set that they are from")]
    models: list[PublishedModel]
    judges: list[PublishedJudge]
    rankings: Annotated[list[PublishedRanking], _said("the main one first")]
    files: list[PublishedFile]


def publication(store: Store, shown: Published, files: Mapping[str, Path]) -> Publication:
    """All of it. files: the others, by their names in the publication."""
    policy = shown.policy
    return Publication(
        title=policy.title,
        license=policy.license or None,
        package=version(DISTRIBUTION),
        store_schema=SCHEMA,
        updated=store.whole.newest(),
        settings=_settings(policy),
        digests={
            table: TableDigest(rows=rows, digest=digest)
            for table, (rows, digest) in store.whole.digests().items()
        },
        prompts=_sources(store),
        models=[_model(model) for model in store.models()],
        judges=[_judge(judge, shown.board) for judge in _latest(store).values()],
        rankings=[_ranking(board) for board in shown.rankings],
        files=[
            PublishedFile(path=name, bytes=path.stat().st_size, sha256=digest_of(path))
            for name, path in sorted(files.items())
        ],
    )


def schema() -> dict[str, Any]:
    """The JSON schema that every `arena.json` of this version fits."""
    return {"$schema": _DIALECT, **Publication.model_json_schema(mode="serialization")}


def text_of(content: Strict | Mapping[str, Any]) -> str:
    """As a file has it."""
    plain = content.model_dump(mode="json") if isinstance(content, Strict) else content
    return json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def weights_of(model: Model) -> str:
    """Where the weights are from, and an adapter on top of them, as it is shown."""
    return " + ".join(public_weights(model).values())


def public_weights(model: Model) -> dict[str, str]:
    """The weights of a model, and its adapter if any, without the folders of whoever ran it."""
    parts = {"weights": model.weights} | ({"adapter": model.adapter} if model.adapter else {})
    is_here = model.backend in (BackendKind.LOCAL, BackendKind.VLLM)
    return {part: without_folder(text) if is_here else text for part, text in parts.items()}


def without_folder(text: str) -> str:
    """Where something is from; of a folder on somebody's machine the last name alone."""
    path = Path(text).expanduser()
    return path.name if path.is_absolute() or text[:1] == "." else text


def _settings(policy: Policy) -> dict[str, Any]:
    """Everything that decides a ranking; of voters who were left out only how many."""
    found = asdict(policy)
    found["rules"]["without"] = len(policy.rules.without)
    return {name: found[name] for name in found if name not in ("title", "license", "origin")}


def _sources(store: Store) -> dict[str, int]:
    found: dict[str, int] = {}
    for prompt in store.prompts.where():
        name = Path(prompt.source).name
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def _model(model: Model) -> PublishedModel:
    return PublishedModel(
        name=model.name,
        key=model.key,
        backend=model.backend,
        weights=weights_of(model),
        revision=model.revision,
        decoding=model.decoding.chosen,
        organization=model.organization,
        license=model.license,
    )


def _latest(store: Store) -> dict[str, Judge]:
    """The latest card of each judge."""
    return {judge.name: judge for judge in store.judges.where()}


def _judge(judge: Judge, board: Leaderboard) -> PublishedJudge:
    return PublishedJudge(name=judge.name, key=judge.key, counts=judge.name in board.judges)


def _ranking(board: Leaderboard) -> PublishedRanking:
    whole = to_json(board)
    names = PublishedPlace.model_fields
    return PublishedRanking(
        **{name: whole[name] for name in ("evidence", "label", "method", "settings", "counts")},
        group=board.group,
        notes=[_note(note) for note in board.notes],
        models=[PublishedPlace(**{name: one[name] for name in names}) for one in whole["models"]],
        unrated=[
            {k: v for k, v in one.items() if k not in ("facts", "benchmarks")}
            for one in whole["unrated"]
        ],
    )


def _note(note: Note) -> PublishedNote:
    return PublishedNote(code=note.code, **{name: note.text(name) for name in _LANGUAGES})
