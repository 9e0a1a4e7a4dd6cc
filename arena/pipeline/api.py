"""What a notebook needs: a database as an object, with a method for each stage.

    import arena

    with arena.open("arena.db") as db:
        db.generate("smollm2", "core", limit=8)
        db.judge("smollm2", "core", limit=8)
        board = db.rank()
        pandas.DataFrame(board.rows)       # a line a model, the best first
        [str(note) for note in board.notes]
        db.publish("site")

Each stage does what is missing, so calling it again costs nothing. Nothing is printed.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from arena.compare.question import Question
from arena.compare.report import CompareReport, compare
from arena.config import Config, parse_model
from arena.generation.answering import generate
from arena.generation.batch import Control, Progress
from arena.generation.prompts import load_prompts
from arena.judging import JudgeCard, Wanted, judge, load_card
from arena.leaderboard.board import Leaderboard, Policy, policy_of
from arena.leaderboard.evidence.groups import Group
from arena.leaderboard.ranking import ranking
from arena.leaderboard.unranked import ranked_or_not
from arena.publish import publish_ranking
from arena.records import Evidence, Mode, Model, Prompt
from arena.store import Store

Prompts = str | Path | Iterable[str | Prompt]


class Arena(AbstractContextManager["Arena"]):
    """A database of answers, verdicts and votes; `arena.open` opens one.

    store: its rows, one attribute a table.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; what was written is safe without it."""
        self.store.close()

    def prompts(self, prompts: Prompts, limit: int | None = None) -> list[Prompt]:
        """Prompts by the names of sets, by files, or as they are.

        prompts: a name such as "core", a path, or several of these or of `Prompt`.
        limit: how many of them all together; None for all.

        Raises InputError where there is no such set, or a file is not one of prompts.
        """
        several = [prompts] if isinstance(prompts, str | Path) else list(prompts)
        found = {one.key: one for one in several if isinstance(one, Prompt)}
        names = [str(one) for one in several if not isinstance(one, Prompt)]
        found |= {one.key: one for one in load_prompts(names, self.store.home)}
        return list(found.values())[:limit]

    def generate(
        self,
        model: str | Model,
        prompts: Prompts,
        *,
        limit: int | None = None,
        control: Control | None = None,
    ) -> Progress:
        """Let a model answer the prompts that it has not answered.

        model: as on the command line, such as "smollm2" or "openai:NAME@URL", or a `Model`.
        prompts: see `Arena.prompts`.
        limit: how many prompts; None for all.
        control: limits of cost and rate, and who watches.

        Raises ModelConflictError where the name stands for another model, and UnavailableError
        where the model cannot be reached.
        """
        asked = parse_model(model) if isinstance(model, str) else model
        return generate(self.store, asked, self.prompts(prompts, limit), control)

    def judge(
        self,
        card: str | JudgeCard,
        prompts: Prompts,
        *,
        mode: Mode = Mode.PAIRWISE,
        models: Sequence[str] = (),
        limit: int | None = None,
        wanted: Wanted | None = None,
    ) -> list[Progress]:
        """Let a judge compare or score the stored answers that it has not judged.

        card: the name of a judge card, or a `JudgeCard`.
        prompts: see `Arena.prompts`.
        mode: pairs in both orders, scores, or rankings of several answers.
        models: whose answers; empty for all.
        limit: how many prompts; None for all.
        wanted: which pairs, how many samples, a baseline.

        Returns each step of the run, such as repairs and tie-breaks.
        """
        known = load_card(card, self.store.home) if isinstance(card, str) else card
        asked = self.prompts(prompts, limit)
        return judge(self.store, known, asked, mode, models=models, wanted=wanted)

    def policy(self) -> Policy:
        """How this database is ranked: as its last run was told, else by the defaults."""
        return policy_of(self.store, Config())

    def rank(
        self,
        *,
        evidence: Evidence | str | None = None,
        category: str | None = None,
        language: str | None = None,
        policy: Policy | None = None,
    ) -> Leaderboard:
        """The ranking, with its notes.

        evidence: "human", "judge", "objective" or "combined"; None as the policy has it.
        category, language: rank by the prompts of one alone; at most one of the two.
        policy: how to rank; None for `Arena.policy`.

        Ratings are in Elo points, mean 1000 over models, with intervals of `board.confidence`.
        Raises NoEvidenceError where nothing compares models, GateError where only weak judges
        do, and RatingError where the ratings are not determined.
        """
        chosen = policy or self.policy()
        if evidence is not None:
            chosen = replace(chosen, evidence=Evidence(evidence))
        by, value = ("category", category) if category else ("language", language)
        return ranking(self.store, chosen, Group(by, value) if value else None)

    def compare(
        self,
        old: str,
        new: str,
        question: Question | None = None,
        *,
        evidence: Evidence | str | None = None,
        against: "Arena | None" = None,
        policy: Policy | None = None,
    ) -> CompareReport:
        """Whether a model is better than another, or at least not worse.

        old, new: the models, by name.
        question: what must be shown, with which margin and confidence; None is not worse by more
            than 2 points of win rate, with certainty 0.95.
        evidence: the kind that decides; None is the most direct there is.
        against: the database that holds the old model; None is this one.
        policy: which votes and judges count; None for `Arena.policy`.

        `report.decision` is "ship", "do-not-ship" or "cannot-tell", and `report.sentence` says why.
        Raises NoEvidenceError where nothing compares the two, and UnknownNameError for a model
        that is not there.
        """
        return compare(
            self.store,
            old,
            new,
            question,
            policy=policy or self.policy(),
            evidence=None if evidence is None else Evidence(evidence),
            against=None if against is None else against.store,
        )

    def publish(self, folder: str | Path, *, policy: Policy | None = None) -> Path:
        """Write the static site and its data, and return its page.

        folder: where to; files of other names in it are left alone.
        policy: how to rank; None for `Arena.policy`.

        A database without a ranking gets a page that says why there is none.
        """
        chosen = policy or self.policy()
        board, _ = ranked_or_not(self.store, chosen)
        return publish_ranking(self.store, Path(folder), board, chosen)


def open_arena(db: str | Path = "arena.db") -> Arena:
    """Open a database, which is made where there is none.

    db: the SQLite file.

    Raises StoreError where the file is something else, or of a later version.
    """
    return Arena(Store(Path(db)))
