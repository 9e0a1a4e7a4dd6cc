"""Answers and votes by number: a million votes take a third of the room, and less time.

Tables hold numbers, bytes and times in milliseconds; what repeats (a writer, a voter) stands once.
Views have the names and columns that these tables had before, so whoever reads need not know.
"""

from hashlib import sha256

from arena.records.errors import StoreError
from arena.store.schema.driver import Database, sqlite3
from arena.store.schema.packing import (
    GENESIS,
    OF_ROWS,
    OF_VOTES,
    add_functions,
    as_text,
    as_time,
    as_winner,
    winner_place,
)
from arena.store.schema.steps import NOW, append_only, migrations, script

# What is said of an answer without a text, which an import has millions of, takes no room.
BARE = {"turns": '[""]', "finish": '["absent"]', "thinking": "[]", "adjustments": "[]"}
_MILLISECONDS = "(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER))"

_PROMPTS = f"""
    CREATE TABLE prompts_by_number (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, turns TEXT NOT NULL,
        category TEXT NOT NULL, language TEXT NOT NULL, "references" TEXT NOT NULL,
        source TEXT NOT NULL, created_at {NOW}) STRICT;
    INSERT INTO prompts_by_number
        SELECT rowid, key, name, turns, category, language, "references", source, created_at
        FROM prompts ORDER BY rowid;
    DROP TABLE prompts;
    PRAGMA legacy_alter_table = ON;
    ALTER TABLE prompts_by_number RENAME TO prompts;
    PRAGMA legacy_alter_table = OFF;
"""

# Tables that refer to answers follow the first renaming and not the second.
_ANSWERS = f"""
    CREATE TABLE writers (
        id INTEGER PRIMARY KEY, model TEXT NOT NULL REFERENCES models(name),
        model_key TEXT NOT NULL, first_name TEXT NOT NULL) STRICT;
    INSERT INTO writers (model, model_key, first_name)
        SELECT model, model_key, first_name FROM answers GROUP BY 1, 2, 3 ORDER BY min(rowid);
    ALTER TABLE answers RENAME TO answer_rows;
    CREATE TABLE answers_by_number (
        id INTEGER PRIMARY KEY, digest ANY NOT NULL,
        key TEXT NOT NULL GENERATED ALWAYS AS ({as_text("digest")}) VIRTUAL UNIQUE,
        writer INTEGER NOT NULL REFERENCES writers(id),
        prompt INTEGER NOT NULL REFERENCES prompts(id),
        turns TEXT, finish TEXT, thinking TEXT, adjustments TEXT, sample INTEGER NOT NULL,
        prompt_tokens INTEGER, completion_tokens INTEGER, seconds REAL,
        thinking_tokens INTEGER, room INTEGER, first_token REAL,
        created_at ANY NOT NULL DEFAULT {_MILLISECONDS}) STRICT;
    INSERT INTO answers_by_number
        SELECT a.rowid, packed(a.key), w.id, p.id, nullif(a.turns, '{BARE["turns"]}'),
               nullif(a.finish, '{BARE["finish"]}'), nullif(a.thinking, '{BARE["thinking"]}'),
               nullif(a.adjustments, '{BARE["adjustments"]}'),
               a.sample, a.prompt_tokens, a.completion_tokens, a.seconds, a.thinking_tokens,
               a.room, a.first_token, moment(a.created_at, '{OF_ROWS}')
        FROM answer_rows a LEFT JOIN prompts p ON p.key = a.prompt_key
             LEFT JOIN writers w ON (w.model, w.model_key, w.first_name)
                                  = (a.model, a.model_key, a.first_name)
        ORDER BY a.rowid;
    DROP TABLE answer_rows;
    PRAGMA legacy_alter_table = ON;
    ALTER TABLE answers_by_number RENAME TO answer_rows;
    PRAGMA legacy_alter_table = OFF;
    CREATE INDEX answers_by_prompt ON answer_rows (prompt);
    CREATE INDEX answers_later ON answer_rows (sample) WHERE sample > 0;
    CREATE INDEX answers_told ON answer_rows (writer) WHERE finish IS NOT NULL;
    CREATE TRIGGER writers_no_update BEFORE UPDATE ON writers
        WHEN NEW.id IS NOT OLD.id OR NEW.model_key IS NOT OLD.model_key
        BEGIN SELECT RAISE(ABORT, 'writers change only their names'); END;
    CREATE VIEW answers AS
        SELECT a.id AS rowid, a.key, w.model, w.model_key, p.key AS prompt_key,
               coalesce(a.turns, '{BARE["turns"]}') AS turns,
               coalesce(a.finish, '{BARE["finish"]}') AS finish, a.sample, a.prompt_tokens,
               a.completion_tokens, a.seconds, {as_time("a.created_at", OF_ROWS)} AS created_at,
               coalesce(a.thinking, '{BARE["thinking"]}') AS thinking, w.first_name,
               a.thinking_tokens, a.room, a.first_token,
               coalesce(a.adjustments, '{BARE["adjustments"]}') AS adjustments,
               a.finish IS NOT NULL AS told
        FROM answer_rows a LEFT JOIN writers w ON w.id = a.writer
                           LEFT JOIN prompts p ON p.id = a.prompt;
"""

_VOTES = f"""
    CREATE TABLE voters (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    INSERT INTO voters (name) SELECT voter FROM votes GROUP BY 1 ORDER BY min(id);
    CREATE TABLE vote_rows (
        id INTEGER PRIMARY KEY AUTOINCREMENT, battle ANY NOT NULL,
        prompt INTEGER NOT NULL REFERENCES prompts(id),
        first INTEGER NOT NULL REFERENCES answer_rows(id),
        second INTEGER NOT NULL REFERENCES answer_rows(id),
        winner INTEGER NOT NULL CHECK ({as_winner("winner")} IS NOT NULL),
        voter INTEGER NOT NULL REFERENCES voters(id), language TEXT NOT NULL,
        propensity REAL CHECK (propensity > 0 AND propensity <= 1), seconds REAL,
        app_version TEXT NOT NULL, created_at ANY NOT NULL, hash ANY NOT NULL) STRICT;
    INSERT INTO vote_rows
        SELECT v.id, packed(v.battle), p.id, a.id, b.id,
               {winner_place("v.winner")}, o.id, v.language, v.propensity, v.seconds, v.app_version,
               moment(v.created_at, '{OF_VOTES}'), packed(v.hash)
        FROM votes v LEFT JOIN prompts p ON p.key = v.prompt_key
             LEFT JOIN answer_rows a ON a.key = v.first LEFT JOIN answer_rows b ON b.key = v.second
             LEFT JOIN voters o ON o.name = v.voter
        ORDER BY v.id;
    DROP VIEW standing_votes;
    DROP TABLE votes;
    CREATE UNIQUE INDEX votes_by_battle ON vote_rows (battle);
    CREATE INDEX votes_by_voter ON vote_rows (voter);
    CREATE INDEX votes_by_prompt ON vote_rows (prompt);
    CREATE VIEW votes AS
        SELECT v.id, {as_text("v.battle")} AS battle, p.key AS prompt_key, a.key AS first,
               b.key AS second, {as_winner("v.winner")} AS winner, o.name AS voter, v.language,
               v.propensity, v.seconds, v.app_version,
               {as_time("v.created_at", OF_VOTES)} AS created_at,
               coalesce((SELECT {as_text("w.hash")} FROM vote_rows w WHERE w.id < v.id
                         ORDER BY w.id DESC LIMIT 1), '{GENESIS}') AS previous,
               {as_text("v.hash")} AS hash, v.id AS rowid
        FROM vote_rows v LEFT JOIN prompts p ON p.id = v.prompt
             LEFT JOIN answer_rows a ON a.id = v.first LEFT JOIN answer_rows b ON b.id = v.second
             LEFT JOIN voters o ON o.id = v.voter;
    CREATE VIEW standing_votes AS SELECT * FROM votes
        WHERE battle NOT IN (SELECT subject FROM withdrawals);
"""

# What is read before and after. The hash before a vote's own is no longer stored twice.
_CONTENT = {
    "prompts": 'rowid, key, name, turns, category, language, "references", source, created_at',
    "answers": "rowid, key, model, model_key, prompt_key, turns, finish, sample, prompt_tokens, "
    "completion_tokens, seconds, created_at, thinking, first_name, thinking_tokens, room, "
    "first_token, adjustments",
    "votes": "id, battle, prompt_key, first, second, winner, voter, language, propensity, seconds, "
    "app_version, created_at, hash",
}
_AS_IT_WAS = "the database could not be brought up to date, and was left as it was"

_KEPT = """
    DROP TABLE kept_votes;
    CREATE TABLE kept_votes (
        last INTEGER PRIMARY KEY, votes INTEGER NOT NULL, ids BLOB,
        first BLOB NOT NULL, second BLOB NOT NULL, prompts BLOB NOT NULL,
        writers_a BLOB NOT NULL, writers_b BLOB NOT NULL, voters BLOB NOT NULL,
        winners BLOB NOT NULL, propensity BLOB, seconds BLOB) STRICT;
"""


@migrations()
def m017_numbers(db: Database) -> None:
    """Prompts, answers and votes by number; see above. Foreign keys must be off meanwhile.

    It is a part of the transaction around it: whatever is not the same as before is an error,
    and then all is as before.
    """
    add_functions(db.conn)
    before = _contents(db)
    try:
        for part in (_PROMPTS, _ANSWERS, _VOTES, _KEPT):
            script(db, part)
    except sqlite3.IntegrityError as error:
        raise StoreError(
            f"some rows name others that are not there ({error}); {_AS_IT_WAS}"
        ) from error
    append_only(db, ("answer_rows", "vote_rows", "voters"))
    for view in ("answers", "votes"):
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {view}_no_{action.lower()} INSTEAD OF {action} ON {view} "
                f"BEGIN SELECT RAISE(ABORT, '{view} is append-only'); END"
            )
    if _contents(db) != before:
        raise StoreError(f"some rows would have changed; {_AS_IT_WAS}")


def _contents(db: Database) -> list[str]:
    """A digest of each table, of all that its rows hold and their order."""
    found = []
    for table, columns in _CONTENT.items():
        digest = sha256()
        for row in db.execute(f"SELECT {columns} FROM {table} ORDER BY 1"):
            digest.update(repr(row).encode())
        found.append(digest.hexdigest())
    return found
