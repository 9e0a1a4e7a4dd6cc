"""`Store`: the database, opened, with one attribute a table."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena.records import (
    BackendKind,
    Batch,
    Battle,
    Check,
    Completion,
    Decoding,
    Failure,
    Flag,
    Grade,
    Judge,
    Leak,
    Likelihood,
    Marking,
    Model,
    Outcome,
    Probe,
    Prompt,
    Ranking,
    Remark,
    Report,
    Score,
    Showing,
    Talk,
    Unanswered,
    Verdict,
)
from arena.records.errors import ModelConflictError, StoreError
from arena.store.answers import AnswerRows
from arena.store.archive import Archivable, Archive
from arena.store.connection import Connections
from arena.store.large.bulk import NewAnswers, add_answers, filling
from arena.store.leases import Leases
from arena.store.queries import EvidenceColumns
from arena.store.rows import Rows, decode, encode
from arena.store.shown import BATTLES, SHOWINGS, OpenToJudge
from arena.store.votes import Votes
from arena.store.whole.backup import copy_database
from arena.store.whole.tables import WholeTables
from arena.store.withdrawals import Withdrawals

_NOT_CONTENT = ("base_url", "api_key_env", "timeout", "extra_headers", "tokenizer", "gpus")
TABLES = ("prompts", "models", "answers", "votes", "verdicts", "scores", "rankings", "outcomes")
_BY_NUMBER = {"answers": "answer_rows", "votes": "vote_rows"}
# One statement: a page asks this each time.
_LAST = [
    f"(SELECT coalesce(max(rowid), 0) FROM {_BY_NUMBER.get(table, table)}) AS {table}"
    for table in (*TABLES, "grades", "withdrawals", "withheld", "policies", "in_use")
]
# What makes two judgements ones of the same thing, by table.
_SAME_JUDGEMENT = {
    "verdicts": "judge, first, second, turn, sample",
    "scores": "judge, answer, turn, sample",
    "rankings": "judge, answers, turn, sample",
}
_OF_MODELS = ("writers", "completions", "likelihoods", "outcomes", "checks")
_ROWS_OF_MODEL = "SELECT " + " OR ".join(
    [f"EXISTS (SELECT 1 FROM {table} WHERE model = :name)" for table in _OF_MODELS]
    + ["EXISTS (SELECT 1 FROM talks WHERE :name IN (first_model, second_model))"]
)
_VERSION = (
    f"SELECT {', '.join(_LAST)}, (SELECT count(*) FROM withheld) AS still_withheld, "
    "(SELECT coalesce(max(rowid), 0) + 1000000 * count(*) FROM archived) AS archived"
)


@dataclass(frozen=True, slots=True)
class StoreVersion:
    """What a database holds, so that a change is seen: the last row of each table.

    still_withheld: how many rows are withheld now. archived: changes with what is put aside.
    """

    prompts: int = 0
    models: int = 0
    answers: int = 0
    votes: int = 0
    verdicts: int = 0
    scores: int = 0
    rankings: int = 0
    outcomes: int = 0
    grades: int = 0
    withdrawals: int = 0
    withheld: int = 0
    policies: int = 0
    in_use: int = 0
    still_withheld: int = 0
    archived: int = 0

    @property
    def evidence(self) -> int:
        """About how many rows a ranking is made of."""
        return self.votes + self.verdicts + self.scores + self.rankings + self.outcomes

    @property
    def shown(self) -> tuple[int, ...]:
        """Changes with what voters may be shown."""
        return self.answers, self.withheld, self.still_withheld, self.archived


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often a stage failed in one way, with the last message."""

    stage: str
    kind: str
    count: int
    message: str


class Store:
    """One arena database. Threads may share it; processes open their own."""

    def __init__(
        self, path: str | Path, *, create: bool = True, called: Path | None = None
    ) -> None:
        """Open `path`, making it where `create` allows. called: what it is a copy of, if it is."""
        self.path = Path(path)
        _check_place(self.path, create)
        self._connections = Connections(self.path, called)
        self._connections.migrate()
        self.prompts = Rows(self._connections, "prompts", Prompt)
        self.answers = AnswerRows(self._connections)
        self.judges = Rows(self._connections, "judges", Judge)
        self.verdicts = Rows(self._connections, "verdicts", Verdict)
        self.scores = Rows(self._connections, "scores", Score)
        self.probes = Rows(self._connections, "probes", Probe)
        self.rankings = Rows(self._connections, "rankings", Ranking)
        self.completions = Rows(self._connections, "completions", Completion)
        self.likelihoods = Rows(self._connections, "likelihoods", Likelihood)
        self.markings = Rows(self._connections, "markings", Marking)
        self.checks = Rows(self._connections, "checks", Check)
        self.outcomes = Rows(self._connections, "outcomes", Outcome)
        self.batches = Rows(self._connections, "batches", Batch)
        self.battles = OpenToJudge(self._connections, BATTLES, Battle)
        self.votes = Votes(self._connections)
        self.flags = Rows(self._connections, "flags", Flag)
        self.leaks = Rows(self._connections, "leaks", Leak)
        self.remarks = Rows(self._connections, "remarks", Remark)
        self.showings = OpenToJudge(self._connections, SHOWINGS, Showing)
        self.grades = Rows(self._connections, "grades", Grade, view="standing_grades")
        self.withdrawals = Withdrawals(self._connections)
        self.reports = Rows(self._connections, "reports", Report)
        self.unanswered = Rows(self._connections, "unanswered", Unanswered)
        self.talks = Rows(self._connections, "talks", Talk)
        self.archive = Archive(self._connections)
        self.leases = Leases(self._connections)
        self.evidence = EvidenceColumns(self._connections)
        self.whole = WholeTables(self._connections)

    @property
    def home(self) -> Path:
        """The folder whose own `judges/` and `prompts/` come before the built-in ones."""
        return self.path.resolve().parent

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that this thread stores inside is one transaction: an exception leaves nothing."""
        with self._connections.transaction():
            yield

    def put_prompts(self, prompts: Iterable[Prompt]) -> None:
        """Store prompts; what describes one (name, category, …) follows the latest file."""
        rows = [encode(prompt) for prompt in prompts]
        with self._connections.transaction() as db:
            db.conn.executemany(
                'INSERT INTO prompts (key, name, turns, category, language, "references", source) '
                "VALUES (:key, :name, :turns, :category, :language, :references, :source) "
                "ON CONFLICT(key) DO UPDATE SET name = :name, category = :category, "
                'language = :language, "references" = :references, source = :source',
                rows,
            )

    def filling(self, rows: int) -> AbstractContextManager[bool]:
        """One transaction for a file of so many votes: all of it is stored, or nothing.

        It says whether there are no votes before these.
        """
        return filling(self._connections, rows)

    def add_answers(self, new: NewAnswers) -> Sequence[int]:
        """Store those of a file's answers that are not there yet; call it while `filling`.

        Returns the number of each answer in this database.
        """
        return add_answers(self._connections, new)

    def check_model(self, model: Model) -> None:
        """Raise ModelConflictError if the name stands for another model already.

        A name under which nothing is stored is free, as after a first attempt that failed
        altogether, unless another process may be at work under it.
        """
        rows = self._connections.db.query(
            "SELECT key, spec FROM models WHERE name = ?", [model.name]
        )
        for row in rows:
            if row["key"] != model.key and (self.has_rows(model.name) or self.leases.elsewhere()):
                raise ModelConflictError(
                    f"the model name {model.name!r} is already stored with other settings "
                    f"({described(_model(json.loads(row['spec'])), model)}); give this one a "
                    "name of its own: NAME=MODEL"
                )

    def put_model(self, model: Model) -> None:
        """Store a model, or raise if its name stands for another one already.

        A run claims the rows that it works on before it calls this, so that of two processes
        with different models of one name the second is refused.
        """
        spec = json.dumps(_spec(model), ensure_ascii=False)
        with self._connections.transaction() as db:
            self.check_model(model)
            db.execute(
                "INSERT INTO models (name, key, spec) VALUES (?1, ?2, ?3) "
                "ON CONFLICT(name) DO UPDATE SET key = ?2, spec = ?3 WHERE (key, spec) != (?2, ?3)",
                [model.name, model.key, spec],
            )

    def describe(self, models: Iterable[Model]) -> None:
        """Take over what is said of stored models beside what their answers depend on."""
        rows = [(json.dumps(_spec(m), ensure_ascii=False), m.name, m.key) for m in models]
        spec = "json_set(?1, '$.first_name', spec ->> '$.first_name')"
        sql = f"UPDATE models SET spec = {spec} WHERE name = ?2 AND key = ?3 AND spec != {spec}"
        with self._connections.transaction() as db:
            db.conn.executemany(sql, rows)

    def has_rows(self, name: str) -> bool:
        """Whether anything is stored of a model."""
        found = self._connections.db.execute(_ROWS_OF_MODEL, {"name": name}).fetchone()
        return bool(found[0])

    def is_empty(self) -> bool:
        """Whether no table has a row; what the migrations note of themselves is none."""
        db = self._connections.db
        tables = [name for name in db.table_names() if "sqlite" not in name]
        return not any(db.execute(f"SELECT 1 FROM [{name}] LIMIT 1").fetchone() for name in tables)

    def models(self, *, archived: bool = False) -> list[Model]:
        """The models stored, without the addresses they were reached at.

        archived: with those that were put aside.
        """
        rows = self._connections.db.query("SELECT name, spec FROM models ORDER BY name")
        aside = set() if archived else self.archive.names(Archivable.MODEL)
        return [_model(json.loads(row["spec"])) for row in rows if row["name"] not in aside]

    def add_failures(self, failures: Iterable[Failure]) -> None:
        """Record work that failed, so that it can be counted and explained."""
        with self._connections.transaction() as db:
            db.conn.executemany(
                "INSERT INTO failures (stage, subject, kind, message) "
                "VALUES (:stage, :subject, :kind, :message)",
                [encode(failure) for failure in failures],
            )

    def failed(self, stage: str) -> set[str]:
        """Keys of rows that a stage once failed to make, whether it has made them since or not."""
        sql = "SELECT DISTINCT subject FROM failures WHERE stage = ?"
        return {str(row[0]) for row in self._connections.db.execute(sql, [stage])}

    def failure_counts(self) -> list[FailureCount]:
        """Failures by stage and kind."""
        sql = (
            "SELECT stage, kind, count(*) AS n, max(id), message FROM failures "
            "GROUP BY stage, kind ORDER BY n DESC"
        )
        return [
            FailureCount(row["stage"], row["kind"], row["n"], row["message"])
            for row in self._connections.db.query(sql)
        ]

    def standing_unanswered(self) -> dict[str, Unanswered]:
        """Replies that are no answers, by the key that the answer would have: the latest of each.

        None of which there is an answer since.
        """
        sql = """
            SELECT * FROM unanswered WHERE rowid IN (
                SELECT max(rowid) FROM unanswered WHERE subject NOT IN (SELECT key FROM answers)
                GROUP BY subject) ORDER BY rowid"""
        rows = (decode(Unanswered, row) for row in self._connections.db.query(sql))
        return {row.subject: row for row in rows}

    def still_failing(self) -> dict[str, int]:
        """By stage: rows that were tried, failed, and are not there to this day."""
        tables = ("answers", "verdicts", "scores", "rankings", "completions", "likelihoods")
        there = " ".join(
            f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE key = subject)" for table in tables
        )
        sql = f"SELECT stage, count(DISTINCT subject) FROM failures WHERE 1 {there} GROUP BY stage"
        return {str(stage): int(n) for stage, n in self._connections.db.execute(sql)}

    def latest_cards(self, table: str) -> set[str]:
        """The keys of the cards by which judges last said something, in a table of judgements."""
        return {str(key) for (key,) in self._connections.db.execute(_latest_cards(table))}

    def unparsed_counts(self) -> dict[str, int]:
        """By table: what judges said by their latest cards that could not be read.

        What was read or asked later is not counted.
        """
        found = {}
        for table, columns in _SAME_JUDGEMENT.items():
            sql = (
                f"SELECT count(*) FROM {table} WHERE reason != '' AND rowid IN "
                f"(SELECT max(rowid) FROM {table} GROUP BY {columns}) "
                f"AND judge_key IN ({_latest_cards(table)})"
            )
            found[table] = int(self._connections.db.execute(sql).fetchone()[0])
        return found

    def unparsed_before(self) -> int:
        """What judges said by earlier cards that could not be read."""
        rows = [
            self._connections.db.execute(
                f"SELECT count(*) FROM {table} WHERE reason != '' "
                f"AND judge_key NOT IN ({_latest_cards(table)})"
            ).fetchone()[0]
            for table in _SAME_JUDGEMENT
        ]
        return sum(map(int, rows))

    def absent_answers(self) -> int:
        """Answers of which a file told without their texts."""
        sql = "SELECT count(*) FROM answer_rows WHERE finish IS NOT NULL"
        return self.answers.count() - int(self._connections.db.execute(sql).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Rows in each stage's table, without votes that were taken back."""
        db = self._connections.db
        counted = {
            table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in TABLES
            if table not in _BY_NUMBER
        }
        counted |= {"answers": self.answers.count(), "votes": self.votes.count()}
        return {table: counted[table] for table in TABLES}

    def verdicts_on(self, first: str, second: str) -> list[Verdict]:
        """All verdicts on two answers, in either order; of each judge and order the latest."""
        sql = """
            SELECT * FROM verdicts WHERE rowid IN (
                SELECT max(rowid) FROM verdicts
                WHERE (first = ?1 AND second = ?2) OR (first = ?2 AND second = ?1)
                GROUP BY judge, first) ORDER BY judge, rowid"""
        return [decode(Verdict, row) for row in self._connections.db.query(sql, [first, second])]

    def withheld(self, kind: str) -> set[str]:
        """Names of models, or keys of prompts, that are not to be shown to anybody now."""
        rows = self._connections.db.execute("SELECT name FROM withheld WHERE kind = ?", [kind])
        return {str(row[0]) for row in rows.fetchall()}

    def withhold(self, kind: str, name: str, on: bool) -> None:
        """Keep a model or a prompt from being shown, or let it be shown again."""
        sql = "DELETE FROM withheld WHERE kind = ? AND name = ?"
        if on:
            sql = "INSERT INTO withheld (kind, name) VALUES (?, ?) ON CONFLICT DO NOTHING"
        with self._connections.transaction() as db:
            db.execute(sql, [kind, name])

    def policy(self) -> str | None:
        """How the last run was told to rank, as JSON; None where no run was told."""
        sql = "SELECT settings FROM policies ORDER BY id DESC LIMIT 1"
        found = self._connections.db.execute(sql).fetchone()
        return str(found[0]) if found else None

    def keep_policy(self, settings: str) -> None:
        """Keep how a run was told to rank, as JSON."""
        if settings != self.policy():
            with self._connections.transaction() as db:
                db.execute("INSERT INTO policies (settings) VALUES (?)", [settings])

    def in_use(self) -> tuple[str, ...]:
        """The versions of models that runs took, the last one last; see `names.old_versions`."""
        rows = self._connections.db.execute("SELECT name FROM in_use ORDER BY id").fetchall()
        return tuple(str(row[0]) for row in rows)

    def use(self, names: Iterable[str]) -> None:
        """Keep that a run takes these versions of models, and no others of them."""
        with self._connections.transaction() as db:
            sql = "INSERT INTO in_use (name) VALUES (?)"
            db.conn.executemany(sql, [(name,) for name in names])

    def version(self) -> StoreVersion:
        """Changes with a row of evidence, what is taken back or withheld, and how to rank.

        Quick to read.
        """
        return StoreVersion(*map(int, self._connections.db.execute(_VERSION).fetchone()))

    def copy_to(self, path: Path) -> None:
        """Write the whole database as it is now into a new file; see `copy_database`."""
        copy_database(self.path, path)

    def checkpoint(self) -> None:
        """Bring what stands in the write-ahead log into the database file, if nobody reads it."""
        self._connections.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close this thread's connection."""
        self._connections.close()


def _check_place(path: Path, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{path}: a folder; --db takes a file")
    if not path.exists() and not create:
        raise StoreError(
            f"{path}: no such database; 'arena run' makes one of what arena.yaml says, "
            "'arena generate' one with answers, and 'arena init --sample' one to look at"
        )
    if not path.resolve().parent.is_dir():
        raise StoreError(f"{path}: the folder {path.resolve().parent} does not exist")


def _spec(model: Model) -> dict[str, Any]:
    return {name: value for name, value in asdict(model).items() if name not in _NOT_CONTENT}


def _model(spec: dict[str, Any]) -> Model:
    how = spec.pop("decoding")
    decoding = Decoding(**how | {"stop": tuple(how.get("stop", ()))})
    if spec.get("price"):
        spec["price"] = tuple(spec["price"])
    return Model(**spec | {"backend": BackendKind(spec["backend"])}, decoding=decoding)


def differences(old: Model, new: Model) -> list[tuple[str, Any, Any]]:
    """The settings that make them two models: each by its key in arena.yaml, old and new."""
    both = [
        {
            "use": f"{model.backend}:{model.weights}",
            "revision": model.revision,
            "adapter": model.adapter,
            **_shown(model.decoding),
        }
        for model in (old, new)
    ]
    return [
        (name, both[0][name], both[1][name]) for name in both[0] if both[0][name] != both[1][name]
    ]


def _shown(decoding: Decoding) -> dict[str, Any]:
    """Decoding by its keys in arena.yaml."""
    found = asdict(decoding)
    budget = found.pop("thinking_budget")
    return found | ({} if budget is None else {"thinking": budget})


def described(old: Model, new: Model) -> str:
    """The differences in words."""
    changed = differences(old, new)
    return "; ".join(f"{name} was {was!r}, is {now!r}" for name, was, now in changed)


def _latest_cards(table: str) -> str:
    """Selects each judge's card in the last row that it has in a table."""
    return (
        f"SELECT judge_key FROM {table} WHERE rowid IN "
        f"(SELECT max(rowid) FROM {table} GROUP BY judge)"
    )
