"""The audit of the votes as the admin page shows it, made beside the app."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import islice

from arena.config import Config
from arena.leaderboard.board import policy_of
from arena.leaderboard.vote_audit import record_flags, vote_report
from arena.records import Note
from arena.records.errors import ArenaError
from arena.store import Store
from arena.web.background.cache import WHOLE, Cache
from arena.web.views.board_table import note, utc
from arena.web.views.words import WORDS, Words, said

MOST_SHOWN = 20
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class AuditOfVotes:
    """What is known of the votes' honesty, as far as it is shown.

    votes: that count. taken_back: votes and ratings
    that do not. broken, broken_withdrawals: ids of the first votes, and of the first
    things taken back, that do not fit their chain; nothing more is said where there are any.
    reason: why nothing more can be said. flagged: name, votes and kinds of the
    first flagged voters, of `suspects` in all. ranks: model, rank, and rank without the flagged.
    """

    votes: int
    taken_back: int = 0
    broken: tuple[int, ...] = ()
    broken_withdrawals: tuple[int, ...] = ()
    reason: Note | None = None
    voters: int = 0
    suspects: int = 0
    leaked: int = 0
    flagged: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    ranks: tuple[tuple[str, int, int | None], ...] = ()


def audit(store: Store, _: str = WHOLE, config: Config | None = None) -> AuditOfVotes:
    """Read and audit the votes of a store, and record whom it flags.

    config: says how to rank; see `board.policy_of`.
    """
    begun = AuditOfVotes(store.votes.count(), taken_back=store.withdrawals.count())
    broken, taken_back = (
        tuple(islice(table.broken(), MOST_SHOWN)) for table in (store.votes, store.withdrawals)
    )
    if broken or taken_back:
        return replace(begun, broken=broken, broken_withdrawals=taken_back)
    if not begun.votes:
        return begun
    try:
        found = vote_report(store, policy_of(store, config or Config()))
    except ArenaError as error:
        return replace(begun, reason=error.note)
    record_flags(store, found)
    flagged, moves = found.integrity.flagged, found.moves() if found.flagged else ()
    return replace(
        begun,
        voters=len(found.integrity.voters),
        suspects=len(flagged),
        leaked=found.leaked,
        flagged=tuple((v.voter, v.votes, tuple(map(str, v.kinds))) for v in flagged[:MOST_SHOWN]),
        ranks=tuple((m.model, m.rank, m.rank_after) for m in moves[:MOST_SHOWN]),
    )


class Audits(Cache[str, AuditOfVotes]):
    """Threads may share it."""

    def __init__(self, store: Store, make: Callable[[Store, str], AuditOfVotes] = audit) -> None:
        super().__init__(store, make, WHOLE)

    def page(self, language: str, patience: float = PATIENCE) -> str:
        """The last audit as HTML, and whether a newer one is under way."""
        words = WORDS[language]
        found = self.made(WHOLE, patience)
        under_way = note(words["auditing"]) if self.is_under_way(WHOLE) else ""
        return under_way + (render(found.value, words, found.made) if found else "")


def render(found: AuditOfVotes, words: Words, made: float) -> str:
    """HTML: when it was made, the chain, flagged voters, both rankings."""
    when = note(words["as_of"].format(time=utc(made)))
    chains = (("chain_broken", found.broken), ("chain_broken_back", found.broken_withdrawals))
    broken = [note(words[w].format(ids=", ".join(map(str, ids)))) for w, ids in chains if ids]
    if broken:
        return when + "".join(broken)
    whole = when + note(words["chain_whole"].format(count=found.votes))
    if found.taken_back:
        whole += note(words["taken_back"].format(count=found.taken_back))
    if found.reason:
        return whole + note(words["failed"].format(reason=said(words, found.reason)))
    if not found.voters:
        return whole
    summary = words["flagged_voters"].format(
        flagged=found.suspects, voters=found.voters, leaked=found.leaked
    )
    voters = [
        (name[:12], votes, ", ".join(words[f"flag_{kind}"] for kind in kinds))
        for name, votes, kinds in found.flagged
    ]
    ranks = [(model, rank, after or "–") for model, rank, after in found.ranks]
    tables = _table(words, ("flagged_voter", "votes", "flagged_for"), voters)
    return whole + note(summary) + tables + _table(words, ("model", "rank", "rank_without"), ranks)


def _table(words: Words, heads: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{escape(words[head])}</th>" for head in heads)
    lines = ("".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="table"><table class="grid"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
