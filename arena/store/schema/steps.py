"""The first migrations. A released one is never edited, only followed."""

from arena.store.schema.driver import Database, Migrations, sqlite3

migrations = Migrations("arena")

NOW = "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
_USAGE = "prompt_tokens INTEGER, completion_tokens INTEGER, seconds REAL"


@migrations()
def m001_stages(db: Database) -> None:
    """One table a stage. Rows of models point nowhere: the same weights serve many names."""
    script(
        db,
        f"""
        CREATE TABLE prompts (
            key TEXT PRIMARY KEY, name TEXT NOT NULL, turns TEXT NOT NULL,
            category TEXT NOT NULL, language TEXT NOT NULL, "references" TEXT NOT NULL,
            source TEXT NOT NULL, created_at {NOW}) STRICT;
        CREATE TABLE models (
            name TEXT PRIMARY KEY, key TEXT NOT NULL, spec TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE judges (
            key TEXT PRIMARY KEY, name TEXT NOT NULL, card TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE answers (
            key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
            model_key TEXT NOT NULL, prompt_key TEXT NOT NULL REFERENCES prompts(key),
            turns TEXT NOT NULL, finish TEXT NOT NULL, sample INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX answers_by_prompt ON answers (prompt_key, model);
        CREATE TABLE verdicts (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL,
            judge_key TEXT NOT NULL REFERENCES judges(key),
            prompt_key TEXT NOT NULL REFERENCES prompts(key),
            first TEXT NOT NULL REFERENCES answers(key),
            second TEXT NOT NULL REFERENCES answers(key),
            preference TEXT NOT NULL CHECK (preference IN ('A', 'B', 'tie', 'unparsed')),
            p_first REAL, p_second REAL, p_tie REAL, mass REAL,
            text TEXT NOT NULL, reason TEXT NOT NULL, truncated INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX verdicts_by_pair ON verdicts (judge_key, first, second);
        CREATE TABLE scores (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL,
            judge_key TEXT NOT NULL REFERENCES judges(key),
            prompt_key TEXT NOT NULL REFERENCES prompts(key),
            answer TEXT NOT NULL REFERENCES answers(key), value REAL, mass REAL,
            text TEXT NOT NULL, reason TEXT NOT NULL, truncated INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX scores_by_answer ON scores (judge_key, answer);
        CREATE TABLE completions (
            key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
            model_key TEXT NOT NULL, text TEXT NOT NULL, {_USAGE}, created_at {NOW}) STRICT;
        CREATE TABLE outcomes (
            key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
            model_key TEXT NOT NULL, benchmark TEXT NOT NULL, version TEXT NOT NULL,
            item TEXT NOT NULL, metric TEXT NOT NULL,
            value REAL NOT NULL CHECK (value BETWEEN 0 AND 1), text TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE INDEX outcomes_by_benchmark ON outcomes (benchmark, version, metric, item);
        CREATE TABLE battles (
            key TEXT PRIMARY KEY, prompt_key TEXT NOT NULL REFERENCES prompts(key),
            first TEXT NOT NULL REFERENCES answers(key),
            second TEXT NOT NULL REFERENCES answers(key), voter TEXT NOT NULL,
            propensity REAL NOT NULL, created_at {NOW}) STRICT;
        CREATE TABLE votes (
            id INTEGER PRIMARY KEY AUTOINCREMENT, battle TEXT NOT NULL UNIQUE,
            prompt_key TEXT NOT NULL REFERENCES prompts(key),
            first TEXT NOT NULL REFERENCES answers(key),
            second TEXT NOT NULL REFERENCES answers(key),
            winner TEXT NOT NULL CHECK (winner IN ('model_a', 'model_b', 'tie', 'both_bad')),
            voter TEXT NOT NULL, language TEXT NOT NULL,
            propensity REAL CHECK (propensity > 0 AND propensity <= 1), seconds REAL,
            app_version TEXT NOT NULL, created_at TEXT NOT NULL,
            previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE failures (
            id INTEGER PRIMARY KEY, stage TEXT NOT NULL, subject TEXT NOT NULL,
            kind TEXT NOT NULL, message TEXT NOT NULL, created_at {NOW}) STRICT;
        CREATE INDEX failures_by_subject ON failures (stage, subject);
    """,
    )


@migrations()
def m002_append_only(db: Database) -> None:
    """What was said stays said: a correction is a new row."""
    append_only(db, ("answers", "verdicts", "scores", "completions", "outcomes", "votes"))


@migrations()
def m003_requests(db: Database) -> None:
    """What was asked gets a digest of its own, so that a stored reply can be read anew.

    A row's latest reading counts. Claims end by themselves, so they are no part of what was
    said and may be changed and deleted.
    """
    for table in ("verdicts", "scores"):
        for column in (
            "request TEXT NOT NULL DEFAULT ''",
            "turn INTEGER NOT NULL DEFAULT 0",
            "sample INTEGER NOT NULL DEFAULT 0",
        ):
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        db.execute(f"CREATE INDEX {table}_by_request ON {table} (request)")
    db.execute("ALTER TABLE verdicts ADD COLUMN slight INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE scores ADD COLUMN parts TEXT NOT NULL DEFAULT '[]'")
    script(
        db,
        f"""
        CREATE TABLE rankings (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL,
            judge_key TEXT NOT NULL REFERENCES judges(key),
            prompt_key TEXT NOT NULL REFERENCES prompts(key),
            answers TEXT NOT NULL, ranks TEXT NOT NULL, text TEXT NOT NULL,
            reason TEXT NOT NULL, truncated INTEGER NOT NULL, request TEXT NOT NULL,
            turn INTEGER NOT NULL, sample INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX rankings_by_request ON rankings (request);
        CREATE TABLE probes (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL,
            judge_key TEXT NOT NULL REFERENCES judges(key),
            suite TEXT NOT NULL, item TEXT NOT NULL, swapped INTEGER NOT NULL,
            preference TEXT NOT NULL CHECK (preference IN ('A', 'B', 'tie', 'unparsed')),
            p_first REAL, p_second REAL, p_tie REAL, mass REAL,
            text TEXT NOT NULL, reason TEXT NOT NULL, truncated INTEGER NOT NULL,
            slight INTEGER NOT NULL, request TEXT NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX probes_by_suite ON probes (judge_key, suite);
        CREATE TABLE batches (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL, mode TEXT NOT NULL, owner TEXT NOT NULL,
            tasks TEXT NOT NULL, created_at {NOW}) STRICT;
        CREATE TABLE leases (
            key TEXT PRIMARY KEY, owner TEXT NOT NULL, expires REAL NOT NULL) STRICT;
        CREATE INDEX leases_by_owner ON leases (owner);
    """,
    )
    append_only(db, ("rankings", "probes"))


@migrations()
def m004_benchmarks(db: Database) -> None:
    """How likely a model found a text; and of an outcome, how the item was asked and marked.

    What a model said is kept as it was said; outcomes are derived from it, so a better marking
    takes their place.
    """
    for action in ("update", "delete"):
        db.execute(f"DROP TRIGGER IF EXISTS outcomes_no_{action}")
    script(
        db,
        f"""
        CREATE TABLE likelihoods (
            key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
            model_key TEXT NOT NULL, logprob REAL NOT NULL, greedy INTEGER NOT NULL,
            tokens INTEGER NOT NULL, truncated INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE TABLE markings (
            key TEXT PRIMARY KEY, judge TEXT NOT NULL,
            judge_key TEXT NOT NULL REFERENCES judges(key), right REAL,
            text TEXT NOT NULL, reason TEXT NOT NULL, {_USAGE}, created_at {NOW}) STRICT;
        CREATE TABLE checks (
            key TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
            benchmark TEXT NOT NULL, measure TEXT NOT NULL, value REAL NOT NULL,
            low REAL, high REAL, n INTEGER NOT NULL, created_at {NOW}) STRICT;
        ALTER TABLE outcomes ADD COLUMN variant TEXT NOT NULL DEFAULT '';
        ALTER TABLE outcomes ADD COLUMN dimension TEXT NOT NULL DEFAULT '';
        ALTER TABLE outcomes ADD COLUMN marker TEXT NOT NULL DEFAULT 'rule';
        ALTER TABLE outcomes ADD COLUMN request TEXT NOT NULL DEFAULT '';
    """,
    )


@migrations()
def m005_integrity(db: Database) -> None:
    """What an audit thinks of voters, which changes no vote; and which answers are not blind."""
    script(
        db,
        f"""
        CREATE TABLE flags (
            key TEXT PRIMARY KEY, audit TEXT NOT NULL, voter TEXT NOT NULL,
            votes INTEGER NOT NULL, kinds TEXT NOT NULL, honest REAL NOT NULL, q REAL NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE leaks (
            key TEXT PRIMARY KEY REFERENCES answers(key), rules TEXT NOT NULL,
            words TEXT NOT NULL, created_at {NOW}) STRICT;
    """,
    )
    append_only(db, ("flags",))


@migrations()
def m006_app(db: Database) -> None:
    """What the app keeps beside votes: remarks, grades, live battles, and what is withheld.

    Indexes for the questions that a page asks of a large database.
    """
    script(
        db,
        f"""
        CREATE TABLE remarks (
            key TEXT PRIMARY KEY, reasons TEXT NOT NULL, comment TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE showings (
            key TEXT PRIMARY KEY, prompt_key TEXT NOT NULL REFERENCES prompts(key),
            answer TEXT NOT NULL REFERENCES answers(key), voter TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE grades (
            key TEXT PRIMARY KEY, prompt_key TEXT NOT NULL REFERENCES prompts(key),
            answer TEXT NOT NULL REFERENCES answers(key), voter TEXT NOT NULL,
            value INTEGER NOT NULL CHECK (value BETWEEN 1 AND 5), parts TEXT NOT NULL,
            language TEXT NOT NULL, seconds REAL, app_version TEXT NOT NULL,
            created_at {NOW}) STRICT;
        CREATE TABLE talks (
            key TEXT PRIMARY KEY, voter TEXT NOT NULL, first_model TEXT NOT NULL,
            second_model TEXT NOT NULL, propensity REAL NOT NULL, turns TEXT NOT NULL,
            first TEXT NOT NULL, second TEXT NOT NULL, first_finish TEXT NOT NULL,
            second_finish TEXT NOT NULL, created_at {NOW}) STRICT;
        CREATE TABLE withheld (
            kind TEXT NOT NULL CHECK (kind IN ('model', 'prompt')), name TEXT NOT NULL,
            created_at {NOW}, PRIMARY KEY (kind, name)) STRICT;
        CREATE INDEX votes_by_voter ON votes (voter);
        CREATE INDEX votes_by_prompt ON votes (prompt_key);
        CREATE INDEX verdicts_by_answers ON verdicts (first, second);
        CREATE INDEX verdicts_by_prompt ON verdicts (prompt_key);
        CREATE INDEX scores_by_prompt ON scores (prompt_key);
        CREATE INDEX grades_by_voter ON grades (voter);
    """,
    )
    append_only(db, ("remarks", "grades"))


@migrations()
def m007_thinking(db: Database) -> None:
    """What a model thought is kept beside its answer, and how each judge's reply ended.

    A reply that was cut off is read with more care; of older rows the end is not known. A
    benchmark says why it found nothing to mark.
    """
    db.execute("ALTER TABLE answers ADD COLUMN thinking TEXT NOT NULL DEFAULT '[]'")
    db.execute("ALTER TABLE outcomes ADD COLUMN reason TEXT NOT NULL DEFAULT ''")
    for table in ("verdicts", "scores", "rankings", "probes", "markings", "completions"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN finish TEXT NOT NULL DEFAULT ''")


@migrations()
def m008_own_marks(db: Database) -> None:
    """What another tool marked keeps our own mark beside it."""
    db.execute("ALTER TABLE outcomes ADD COLUMN ours REAL CHECK (ours BETWEEN 0 AND 1)")


@migrations()
def m009_open_to_a_voter(db: Database) -> None:
    """Indexes for what each page asks: what this voter has open."""
    for table in ("battles", "showings", "talks"):
        db.execute(f"CREATE INDEX {table}_by_voter ON {table} (voter)")


@migrations()
def m010_archive(db: Database) -> None:
    """Models and judges are put aside, and models renamed; what they said stays as it was said.

    An answer keeps the name that its key is made of. Only names of models may change.
    """
    script(
        db,
        f"""
        CREATE TABLE archived (
            kind TEXT NOT NULL CHECK (kind IN ('model', 'judge')), name TEXT NOT NULL,
            created_at {NOW}, PRIMARY KEY (kind, name)) STRICT;
        ALTER TABLE answers ADD COLUMN first_name TEXT NOT NULL DEFAULT '';
    """,
    )
    for table in ("answers", "completions"):
        columns = [c.name for c in db[table].columns if c.name not in ("model", "first_name")]
        same = " AND ".join(f'NEW."{name}" IS OLD."{name}"' for name in ("rowid", *columns))
        script(
            db,
            f"""
            DROP TRIGGER IF EXISTS {table}_no_update;
            CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({same})
            BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
        """,
        )


@migrations()
def m011_voting(db: Database) -> None:
    """What voters take back, which stays stored and counts nowhere; what they report.

    Whoever reads what counts reads the views. A live battle's turn may be asked anew.
    """
    script(
        db,
        f"""
        CREATE TABLE withdrawals (
            id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL UNIQUE,
            voter TEXT NOT NULL, created_at TEXT NOT NULL,
            previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE reports (
            key TEXT PRIMARY KEY, prompt_key TEXT NOT NULL REFERENCES prompts(key),
            answer TEXT NOT NULL REFERENCES answers(key), voter TEXT NOT NULL,
            reason TEXT NOT NULL, comment TEXT NOT NULL, created_at {NOW}) STRICT;
        CREATE VIEW standing_votes AS SELECT id AS rowid, * FROM votes
            WHERE battle NOT IN (SELECT subject FROM withdrawals);
        CREATE VIEW standing_grades AS SELECT rowid, * FROM grades
            WHERE key NOT IN (SELECT subject FROM withdrawals);
        ALTER TABLE talks ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    """,
    )
    append_only(db, ("withdrawals", "reports"))


@migrations()
def m012_policy(db: Database) -> None:
    """How the last run was told to rank, so that app, command line and site do the same."""
    db.execute(f"""
        CREATE TABLE policies (
            id INTEGER PRIMARY KEY, settings TEXT NOT NULL, created_at {NOW}) STRICT""")
    append_only(db, ("policies",))


@migrations()
def m013_kept(db: Database) -> None:
    """What is derived from votes and kept: columns by block, and how far a search has come.

    Nothing here is said by anybody; all of it may be deleted and is made again. See `kept.py`.
    Two indexes find what is rare among millions: answers with a text, and those that name a writer.
    """
    script(
        db,
        """
        CREATE TABLE kept_votes (
            last INTEGER PRIMARY KEY, votes INTEGER NOT NULL,
            models TEXT NOT NULL, voter_names TEXT NOT NULL,
            answer INTEGER NOT NULL, answer_key TEXT NOT NULL,
            prompt INTEGER NOT NULL, prompt_key TEXT NOT NULL,
            ids BLOB, first BLOB NOT NULL, second BLOB NOT NULL, prompts BLOB NOT NULL,
            model_a BLOB NOT NULL, model_b BLOB NOT NULL, voters BLOB NOT NULL,
            winners BLOB NOT NULL, propensity BLOB, seconds BLOB) STRICT;
        CREATE TABLE kept_until (name TEXT PRIMARY KEY, vote INTEGER NOT NULL) STRICT;
        CREATE INDEX leaks_found ON leaks (key) WHERE words != '';
        CREATE INDEX answers_told ON answers (model) WHERE finish != '["absent"]';
    """,
    )


@migrations()
def m014_no_answers(db: Database) -> None:
    """Replies that are no answers, each in a state of its own; and what answers took to think."""
    states = "'ended while thinking', 'empty reply', 'refusal', 'content filter'"
    script(
        db,
        f"""
        ALTER TABLE answers ADD COLUMN thinking_tokens INTEGER;
        ALTER TABLE answers ADD COLUMN room INTEGER;
        CREATE TABLE unanswered (
            key TEXT PRIMARY KEY, subject TEXT NOT NULL,
            model TEXT NOT NULL REFERENCES models(name), model_key TEXT NOT NULL,
            prompt_key TEXT NOT NULL REFERENCES prompts(key), sample INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ({states})), turns TEXT NOT NULL,
            finish TEXT NOT NULL, thinking TEXT NOT NULL, room INTEGER NOT NULL, {_USAGE},
            created_at {NOW}) STRICT;
        CREATE INDEX unanswered_by_subject ON unanswered (subject);
        DROP TRIGGER IF EXISTS answers_no_update;
    """,
    )
    _only_renamed(db, "answers", ("model", "first_name"))
    _only_renamed(db, "unanswered", ("model",))
    db.execute(
        "CREATE TRIGGER unanswered_no_delete BEFORE DELETE ON unanswered "
        "BEGIN SELECT RAISE(ABORT, 'unanswered is append-only'); END"
    )


@migrations()
def m015_in_use(db: Database) -> None:
    """Which version of a model a run took last, where that is not the one with the highest number.

    A model whose settings were changed, and then changed back, is in use under its first name.
    """
    db.execute(f"""
        CREATE TABLE in_use (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_at {NOW}) STRICT""")
    append_only(db, ("in_use",))


@migrations()
def m016_servers(db: Database) -> None:
    """What a server did not take of a request, and how soon an answer began."""
    script(
        db,
        """
        ALTER TABLE answers ADD COLUMN first_token REAL;
        DROP TRIGGER IF EXISTS answers_no_update;
    """,
    )
    for table in ("answers", "verdicts", "scores", "rankings", "probes"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN adjustments TEXT NOT NULL DEFAULT '[]'")
    _only_renamed(db, "answers", ("model", "first_name"))


def _only_renamed(db: Database, table: str, renamed: tuple[str, ...]) -> None:
    """Let nothing but these columns of a row be changed."""
    columns = [c.name for c in db[table].columns if c.name not in renamed]
    same = " AND ".join(f'NEW."{name}" IS OLD."{name}"' for name in ("rowid", *columns))
    db.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({same}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def script(db: Database, sql: str) -> None:
    """Run several statements, each of which ends with a line, inside the transaction.

    `Database.executescript` looks for their ends after every character there, which took half of
    the time of making a database.
    """
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def append_only(db: Database, tables: tuple[str, ...]) -> None:
    """Refuse changes and deletions of what the tables hold."""
    for table in tables:
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


FIRST_STEPS = (
    m001_stages,
    m002_append_only,
    m003_requests,
    m004_benchmarks,
    m005_integrity,
    m006_app,
    m007_thinking,
    m008_own_marks,
    m009_open_to_a_voter,
    m010_archive,
    m011_voting,
    m012_policy,
    m013_kept,
    m014_no_answers,
    m015_in_use,
    m016_servers,
)
