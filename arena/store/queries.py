"""What the rating stage reads: each kind of evidence as columns, joined to model names."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from arena.store.columns import (
    AnswerColumns,
    CodedVotes,
    GradeColumns,
    OutcomeColumns,
    PairColumns,
    RankingColumns,
    ScoreColumns,
    TallyColumns,
    VerdictColumns,
    VoteColumns,
    VotesUntil,
)
from arena.store.connection import Connections
from arena.store.large.kept import KeptVotes
from arena.store.schema.packing import as_winner

ROWS = 10_000  # of a result that are held at once
FEW = 5_000  # votes whose answers are looked up one by one
# Models and judges that were put aside say nothing.
# A model; tokens read, written, seconds; tokens of thinking and seconds to the first token, None
# where they are not known.
Taken = tuple[str, int, int, float, int | None, float | None]
_MODEL = "NOT IN (SELECT name FROM archived WHERE kind = 'model')"
_ANSWER = f"NOT IN (SELECT key FROM answers WHERE NOT model {_MODEL})"
_JUDGE = "NOT IN (SELECT name FROM archived WHERE kind = 'judge')"

C = TypeVar(
    "C",
    GradeColumns,
    VoteColumns,
    VerdictColumns,
    RankingColumns,
    ScoreColumns,
    OutcomeColumns,
    PairColumns,
    AnswerColumns,
)


class EvidenceColumns:
    """Reads whole tables as columns, which is what ratings are computed from."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._kept = KeptVotes(connections)

    def coded_votes(self) -> CodedVotes:
        """All votes, as columns of codes; what is known of them is kept for the next reader."""
        return self._kept.read()

    def keep_up(self) -> None:
        """Keep what is known of the votes, after many have come."""
        self._kept.keep_up()

    def answer_keys(self, numbers: Iterable[int]) -> dict[int, str]:
        """The keys of answers by their numbers in this database."""
        sql = "SELECT id, key FROM answer_rows WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self._connections.db.execute(sql, [json.dumps(list(numbers))]).fetchall())

    def answer_numbers(self, keys: Iterable[str]) -> list[int]:
        """The numbers of answers in this database, in ascending order; unknown keys have none."""
        sql = "SELECT id FROM answer_rows WHERE key IN (SELECT value FROM json_each(?))"
        found = self._connections.db.execute(sql, [json.dumps(list(keys))])
        return sorted(number for (number,) in found)

    def votes(self) -> VoteColumns:
        """All votes as lists of names and keys, which take long to make of a million."""
        # Of a million votes a dictionary finds the answers and prompts much sooner than a join.
        winner, prompt, voter, propensity, first, second, seconds = self._columns(
            "SELECT winner, prompt_key, voter, propensity, first, second, seconds "
            f"FROM standing_votes WHERE first {_ANSWER} AND second {_ANSWER} ORDER BY id",
            7,
        )
        model = self._of_keys("SELECT key, model FROM answers", {*first, *second})
        category = self._of_keys("SELECT key, category FROM prompts", set(prompt))
        language = self._of_keys("SELECT key, language FROM prompts", set(prompt))
        return VoteColumns(
            model_a=[model[key] for key in first],
            model_b=[model[key] for key in second],
            winner=winner,
            prompt=prompt,
            voter=voter,
            propensity=propensity,
            category=[category[key] for key in prompt],
            language=[language[key] for key in prompt],
            answer_a=first,
            answer_b=second,
            seconds=seconds,
        )

    def verdicts(self) -> VerdictColumns:
        """All verdicts of all judges, the two orders of a pair together."""
        return self._read(
            VerdictColumns,
            f"""
            WITH latest AS MATERIALIZED (
                SELECT rowid AS id, judge, judge_key, prompt_key, first, second, turn, sample,
                       preference, p_first, p_second, slight
                FROM verdicts WHERE rowid IN (
                    SELECT max(rowid) FROM verdicts
                    GROUP BY judge_key, first, second, turn, sample))
            SELECT v.judge, v.judge_key, a.model, b.model, v.first, v.second, v.prompt_key,
                   p.category, p.language, v.preference, v.p_first, v.p_second, v.slight,
                   w.preference, w.p_first, w.p_second, w.slight
            FROM latest v
            LEFT JOIN latest w ON w.judge_key = v.judge_key
                 AND w.first = v.second AND w.second = v.first
                 AND w.turn = v.turn AND w.sample = v.sample
            {_ANSWERS}
            WHERE (v.first < v.second OR w.id IS NULL)
                  AND v.judge {_JUDGE} AND a.model {_MODEL} AND b.model {_MODEL}
            ORDER BY v.id""",
        )

    def scores(self) -> ScoreColumns:
        """All scores of all judges."""
        return self._read(
            ScoreColumns,
            f"""
            SELECT s.judge, s.judge_key, a.model, s.answer, s.prompt_key, p.category, p.language,
                   s.value, s.turn, s.sample, coalesce(j.card ->> '$.settings.tie', 0.0),
                   coalesce(j.card ->> '$.reading' = 'reward', 0)
            FROM scores s JOIN answers a ON a.key = s.answer JOIN prompts p ON p.key = s.prompt_key
                          JOIN judges j ON j.key = s.judge_key
            WHERE s.rowid IN (SELECT max(rowid) FROM scores
                              GROUP BY judge_key, answer, turn, sample)
                  AND s.judge {_JUDGE} AND a.model {_MODEL}
            ORDER BY s.rowid""",
        )

    def rankings(self) -> RankingColumns:
        """All orders of all judges, the latest attempt at each."""
        found = self._read(
            RankingColumns,
            f"""
            SELECT r.judge, r.judge_key, r.prompt_key, p.category, p.language, r.answers,
                   r.answers, r.ranks
            FROM rankings r JOIN prompts p ON p.key = r.prompt_key
            WHERE r.rowid IN (SELECT max(rowid) FROM rankings
                              GROUP BY judge_key, answers, turn, sample)
                  AND r.judge {_JUDGE}
            ORDER BY r.rowid""",
        )
        answers = [json.loads(str(text)) for text in found.answers]
        ranks = [json.loads(str(text)) for text in found.ranks]
        shown = {key for keys in answers for key in keys}
        sql = f"SELECT key, model FROM answers WHERE model {_MODEL}"
        rows = self._connections.db.execute(sql) if shown else []
        model = {str(key): str(name) for key, name in rows if key in shown}
        ranks = [
            [rank for key, rank in zip(keys, given, strict=True) if key in model] if given else []
            for keys, given in zip(answers, ranks, strict=True)
        ]
        answers = [[key for key in keys if key in model] for keys in answers]
        models = [[model[key] for key in keys] for keys in answers]
        return replace(found, answers=answers, models=models, ranks=ranks)

    def outcomes(self) -> OutcomeColumns:
        """All benchmark outcomes."""
        return self._read(
            OutcomeColumns,
            f"""
            WITH ruled AS MATERIALIZED (
                SELECT max(rowid) AS id, model, benchmark, version, variant, metric, item, marker,
                       request
                FROM outcomes WHERE marker IN ('rule', 'nobody', 'rule, unsafe')
                GROUP BY model, benchmark, version, variant, metric, item),
            judged AS MATERIALIZED (
                SELECT max(o.rowid) AS id, r.id AS instead FROM outcomes o JOIN ruled r
                ON r.marker = 'nobody' AND o.marker NOT IN ('rule', 'nobody', 'rule, unsafe')
                   AND (o.model, o.benchmark, o.version, o.variant, o.metric, o.item, o.request)
                     = (r.model, r.benchmark, r.version, r.variant, r.metric, r.item, r.request)
                GROUP BY r.id)
            SELECT o.benchmark, o.version, o.variant, o.dimension, o.metric, o.item, o.model,
                   o.value, o.marker
            FROM ruled r LEFT JOIN judged j ON j.instead = r.id
            JOIN outcomes o ON o.rowid = coalesce(j.id, r.id)
            WHERE o.model {_MODEL} ORDER BY r.id""",
        )

    def tallies(self, after: int = 0, until: int | None = None) -> TallyColumns:
        """Votes counted by pair: those whose ids are above `after` and at most `until`."""
        return self._kept.tally(after, self.last_vote() if until is None else until)

    def changes(self, since: VotesUntil, until: VotesUntil) -> tuple[TallyColumns, TallyColumns]:
        """Votes cast, and votes taken back, between two moments, counted by pair."""
        cast = f"vote_rows v {_BY_BOTH} WHERE v.id > {since.vote:d} AND v.id <= {until.vote:d}"
        back = (
            f"withdrawals w JOIN vote_rows v ON v.battle = packed(w.subject) {_BY_BOTH} "
            f"WHERE w.id > {since.withdrawal:d} AND w.id <= {until.withdrawal:d}"
        )
        return self._tallies(cast), self._tallies(back)

    def _tallies(self, rows: str) -> TallyColumns:
        sql = (
            f"SELECT a.model, b.model, {as_winner('v.winner')}, count(*) FROM {rows} "
            f"AND a.model {_MODEL} AND b.model {_MODEL} GROUP BY 1, 2, 3"
        )
        a, b, winner, votes = self._columns(sql, 4)
        return TallyColumns.of(a, b, winner, votes)

    def votes_until(self) -> VotesUntil:
        """This moment, in votes: the ids of the latest vote and withdrawal, 0 where none is."""
        sql = (
            "SELECT (SELECT coalesce(max(id), 0) FROM vote_rows), "
            "(SELECT coalesce(max(id), 0) FROM withdrawals)"
        )
        return VotesUntil(*map(int, self._connections.db.execute(sql).fetchone()))

    def last_vote(self) -> int:
        """The id of the latest vote, 0 where there is none."""
        return self.votes_until().vote

    def vote_times(self, ids: Sequence[int]) -> list[str]:
        """When the first vote from each of these ids on was cast, in ISO 8601."""
        sql = "SELECT created_at FROM votes WHERE id >= ? ORDER BY id LIMIT 1"
        found = [self._connections.db.execute(sql, [i]).fetchone() for i in ids]
        return [str(row[0]) for row in found if row]

    def grades(self) -> GradeColumns:
        """All grades that count."""
        return self._read(
            GradeColumns,
            f"""
            SELECT a.model, g.answer, g.prompt_key, p.category, p.language, g.voter, g.value
            FROM standing_grades g
            JOIN answers a ON a.key = g.answer JOIN prompts p ON p.key = g.prompt_key
            WHERE g.rowid IN (SELECT max(rowid) FROM standing_grades GROUP BY voter, answer)
                  AND a.model {_MODEL}
            ORDER BY g.rowid""",
        )

    def shown_answers(self) -> list[tuple[str, str, str]]:
        """Model, prompt's key and answer's key of every answer that can be looked at."""
        rows = self._connections.db.execute(
            "SELECT rowid, model, prompt_key, key FROM answers "
            f"WHERE sample = 0 AND told AND model {_MODEL}"
        ).fetchall()
        return [(str(m), str(p), str(k)) for _, m, p, k in sorted(rows)]

    def taken(self) -> list[Taken]:
        """What every answer took that a model was asked for here."""
        return self._connections.db.execute(
            "SELECT model, coalesce(prompt_tokens, 0), completion_tokens, coalesce(seconds, 0), "
            "thinking_tokens, first_token FROM answers "
            f"WHERE told AND completion_tokens > 0 AND model {_MODEL}"
        ).fetchall()

    def later_samples(self) -> dict[str, int]:
        """The number of each answer that is not the first sample of its model, by its key."""
        sql = "SELECT key, sample FROM answer_rows WHERE sample > 0"
        return {str(key): int(sample) for key, sample in self._connections.db.execute(sql)}

    def answered(self) -> list[tuple[str, str]]:
        """Model and prompt's key of everything that was answered, in live battles too."""
        rows = self._connections.db.execute(
            f"SELECT DISTINCT model, prompt_key FROM answers WHERE told AND model {_MODEL}"
        ).fetchall()
        return [(str(model), str(prompt)) for model, prompt in rows]

    def who_answered(self) -> list[str]:
        """The models with an answer whose text is here."""
        sql = f"SELECT DISTINCT model FROM answers WHERE told AND model {_MODEL}"
        return [str(row[0]) for row in self._connections.db.execute(sql).fetchall()]

    def what_was_answered(self) -> list[tuple[str, str, str]]:
        """Model, and category and language of a prompt that it answered, each once."""
        sql = (
            "SELECT DISTINCT a.model, p.category, p.language "
            "FROM answers a JOIN prompts p ON p.key = a.prompt_key "
            f"WHERE a.told AND a.model {_MODEL}"
        )
        rows = self._connections.db.execute(sql).fetchall()
        return [(str(model), str(category), str(language)) for model, category, language in rows]

    def pairs_shown_to(self, voter: str) -> set[frozenset[str]]:
        """The pairs of answers that a person was shown or has voted on."""
        sql = (
            "SELECT first, second FROM battles WHERE voter = ?1 "
            "UNION ALL SELECT first, second FROM votes WHERE voter = ?1"
        )
        rows = self._connections.db.execute(sql, [voter]).fetchall()
        return {frozenset((str(a), str(b))) for a, b in rows}

    def answers_shown_to(self, voter: str) -> set[str]:
        """The answers that a person was shown one by one, or has graded."""
        sql = (
            "SELECT answer FROM showings WHERE voter = ?1 "
            "UNION ALL SELECT answer FROM grades WHERE voter = ?1"
        )
        return {str(row[0]) for row in self._connections.db.execute(sql, [voter]).fetchall()}

    def benchmarks(self) -> list[str]:
        """The benchmarks that have outcomes."""
        rows = self._connections.db.execute(
            f"SELECT DISTINCT benchmark FROM outcomes WHERE model {_MODEL} ORDER BY benchmark"
        ).fetchall()
        return [str(row[0]) for row in rows]

    def pairs(self) -> PairColumns:
        """Pairs of models that people could vote on, each once."""
        return self._read(
            PairColumns,
            f"""
            WITH given AS (
                SELECT min(a.model, b.model) AS low, max(a.model, b.model) AS high, count(*) AS n
                FROM standing_votes v {_OF_BOTH} GROUP BY low, high)
            SELECT a.model, b.model, count(DISTINCT a.prompt_key), coalesce(max(given.n), 0)
            FROM answers a JOIN answers b ON b.prompt_key = a.prompt_key AND b.model > a.model
            LEFT JOIN given ON given.low = a.model AND given.high = b.model
            WHERE a.sample = 0 AND b.sample = 0 AND a.told AND b.told
                  AND a.model {_MODEL} AND b.model {_MODEL}
            GROUP BY a.model, b.model ORDER BY a.model, b.model""",
        )

    def shared_prompts(self, model_a: str, model_b: str) -> list[tuple[str, str, str]]:
        """Prompts that both answered: the prompt's key and both answers' keys."""
        rows = self._connections.db.execute(
            """SELECT a.prompt_key, a.key, b.key FROM answers a
               JOIN answers b ON b.prompt_key = a.prompt_key AND b.sample = 0
               WHERE a.model = ? AND b.model = ? AND a.sample = 0
                 AND a.told AND b.told ORDER BY a.prompt_key""",
            [model_a, model_b],
        ).fetchall()
        return [(str(p), str(a), str(b)) for p, a, b in rows]

    def judged_groups(self) -> list[tuple[str, str]]:
        """Category and language of the prompts that anybody has said something about."""
        tables = ("votes", "verdicts", "rankings", "scores", "grades")
        said = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE prompt_key = p.key)" for table in tables
        )
        rows = self._connections.db.execute(
            "SELECT category, language FROM (SELECT DISTINCT category, language FROM prompts) g "
            "WHERE EXISTS (SELECT 1 FROM prompts p WHERE p.category = g.category "  # the first does
            f"AND p.language = g.language AND ({said})) ORDER BY 1, 2"
        ).fetchall()
        return [(str(category), str(language)) for category, language in rows]

    def unread(self, rules: str) -> tuple[list[str], VotesUntil | None]:
        """Keys of the answers voted on that have not been searched for leaks by these rules.

        Answers without a text need no search. Also the moment up to which this holds, for
        `searched`; None where there are no votes after those that it was told of.
        """
        until, db = self.votes_until(), self._connections.db
        row = db.execute("SELECT vote FROM kept_until WHERE name = ?", [rules]).fetchone()
        since = row[0] if row else 0
        if since == until.vote:
            return [], None
        told = "finish IS NOT NULL AND key NOT IN (SELECT key FROM leaks WHERE rules = ?)"
        if until.vote - since > FEW:  # then it is quicker to begin with the answers
            texts = db.execute(f"SELECT key FROM answer_rows WHERE {told}", [rules])
            keys = sorted(str(key) for (key,) in texts.fetchall())
            return (self._voted_on(keys) if keys else []), until
        voted = "SELECT {} FROM vote_rows WHERE id > ? AND id <= ?"
        both = f"{voted.format('first')} UNION {voted.format('second')}"
        sql = f"SELECT key FROM answer_rows WHERE id IN ({both}) AND {told} ORDER BY key"
        found = db.execute(sql, [since, until.vote, since, until.vote, rules]).fetchall()
        return [str(key) for (key,) in found], until

    def _voted_on(self, keys: Sequence[str]) -> list[str]:
        sql = (
            "SELECT key FROM answer_rows WHERE key IN (SELECT value FROM json_each(?)) "
            "AND id IN (SELECT first FROM vote_rows UNION SELECT second FROM vote_rows) "
            "ORDER BY key"
        )
        found = self._connections.db.execute(sql, [json.dumps(keys)]).fetchall()
        return [str(key) for (key,) in found]

    def searched(self, rules: str, until: VotesUntil) -> None:
        """All answers voted on up to a moment have been searched for leaks by these rules."""
        sql = (
            "INSERT INTO kept_until (name, vote) VALUES (?, ?) "
            "ON CONFLICT(name) DO UPDATE SET vote = excluded.vote"
        )
        with self._connections.transaction() as db:
            db.execute(sql, [rules, until.vote])

    def leaked(self) -> list[int]:
        """The numbers of the answers that say who wrote them; see `answer_keys`."""
        rows = self._connections.db.execute(
            "SELECT a.id FROM leaks l JOIN answer_rows a ON a.key = l.key WHERE l.words != ''"
        ).fetchall()
        return [int(number) for (number,) in rows]

    def answers(self) -> AnswerColumns:
        """Counts and mean length by model, of what was answered.

        In characters, which compare better than tokens of one model's tokenizer and another's.
        """
        return self._read(
            AnswerColumns,
            f"""
            SELECT model, count(*), avg((SELECT avg(length(value)) FROM json_each(turns)))
            FROM answers WHERE told AND model {_MODEL}
            GROUP BY model ORDER BY model""",
        )

    def _read(self, columns: type[C], sql: str) -> C:
        names = [field.name for field in fields(columns)]
        return columns(**dict(zip(names, self._columns(sql, len(names)), strict=True)))

    def _columns(self, sql: str, width: int) -> list[list[Any]]:
        """The rows of a query by columns; equal values of one are one object, to save memory."""
        columns: list[list[Any]] = [[] for _ in range(width)]
        seen: list[dict[Any, Any]] = [{} for _ in range(width)]
        cursor = self._connections.db.execute(sql)
        while rows := cursor.fetchmany(ROWS):
            for column, known, values in zip(columns, seen, zip(*rows, strict=True), strict=True):
                column += [known.setdefault(value, value) for value in values]
        return columns

    def _of_keys(self, sql: str, keys: set[str]) -> dict[str, str]:
        """What a query of keys and values says of these keys."""
        chosen = f"{sql} WHERE key IN (SELECT value FROM json_each(?))"
        found = self._connections.db.execute(chosen, [json.dumps(list(keys))])
        return {str(key): str(value) for key, value in found}


_OF_BOTH = "JOIN answers a ON a.key = v.first JOIN answers b ON b.key = v.second"
_BY_BOTH = "JOIN answers a ON a.rowid = v.first JOIN answers b ON b.rowid = v.second"
_ANSWERS = f"""{_OF_BOTH}
              JOIN prompts p ON p.key = v.prompt_key"""
