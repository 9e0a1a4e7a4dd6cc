"""What a voter learns after the vote: the names, their ratings, and what the judges said."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from arena.leaderboard.board import Row
from arena.records import Preference, Prompt, Verdict, Winner
from arena.store.archive import Archivable
from arena.web.background.cache import WHOLE
from arena.web.catalogue import Catalogue
from arena.web.security.voters import Visitor
from arena.web.services import Services
from arena.web.views.components import CHOICES
from arena.web.views.markdown import as_text
from arena.web.views.words import WORDS, Words, sentences
from arena.web.voting.battles import ShownPair

MOST_JUDGES = 6


def sentence(services: Services, shown: ShownPair, visitor: Visitor, winner: Winner) -> str:
    """All of it as Markdown; names wait while the voter has more of this prompt to judge.

    winner: what the voter chose, which it repeats.
    """
    language = visitor.language
    words = WORDS[language]
    chosen = words["you_chose"].format(choice=words[dict(CHOICES)[winner]])
    counted = sentences(words, words["counted"], chosen)
    if services.blind.open_to(visitor).has(shown.prompt):
        waiting = sentences(words, counted, words["names_wait"])
        return "\n\n".join([waiting, *link(services, shown.prompt, words)])
    services.blind.learned(visitor, shown.prompt.key)
    rows = services.boards.known_rows()
    names = [
        words["in_brackets"].format(
            name=f"**{side}** {words['was']} **{as_text(answer.model)}**",
            value=rating_text(rows, answer.model, language),
        )
        for side, answer in (("A", shown.first), ("B", shown.second))
    ]
    lines = [sentences(words, counted, " · ".join(names))]
    archived = services.store.archive.names(Archivable.JUDGE)
    every = services.store.verdicts_on(shown.battle.first, shown.battle.second)
    verdicts = [verdict for verdict in every if verdict.judge not in archived]
    made = services.catalogue.last(WHOLE)
    known = made.value if made else None
    if said := judges_text(verdicts, shown.battle.first, language, known):
        lines.append(said)
    return "\n\n".join([*lines, *link(services, shown.prompt, words)])


def link(services: Services, prompt: Prompt, words: Words) -> list[str]:
    """To everything about a prompt, where this arena shows it."""
    to = f"[{words['see_prompt']}](./browse?prompt={prompt.key})"
    return [] if services.blind.is_closed else [to]


def rating_text(rows: Mapping[str, Row], model: str, language: str) -> str:
    """A model's rating and place."""
    words = WORDS[language]
    if model not in rows:
        return words["unrated"]
    row = rows[model]
    low, high = row.rank_low, row.rank_high
    return words["rating_of"].format(
        rating=round(row.rating),
        half=round((row.ci_high - row.ci_low) / 2),
        rank=f"{low}" if low == high else f"{low}–{high}",
        models=len(rows),
    )


def judges_text(
    verdicts: Iterable[Verdict], first: str, language: str, known: Catalogue | None = None
) -> str:
    """What each judge said of a pair; first: the answer that stood on side A.

    known: tells whose verdicts count; None where nobody knows yet.
    """
    words = WORDS[language]
    sides: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for verdict in verdicts:
        said = _as_shown(verdict, first)
        if said is not None:
            why = known.aside(verdict.judge, verdict.judge_key) if known else ""
            sides[verdict.judge, why].append(said)
    parts = []
    for (judge, why), said_by in sorted(sides.items())[:MOST_JUDGES]:
        name = as_text(judge)
        named = words["judge_aside"].format(judge=name, why=words[why]) if why else name
        same = len(set(said_by)) == 1
        said = words[f"said_{said_by[0]}"] if same else ""
        parts.append(words["judge_said" if same else "judge_split"].format(judge=named, said=said))
    return words["judges_said"].format(said=words["between"].join(parts)) if parts else ""


def _as_shown(verdict: Verdict, first: str) -> str | None:
    """`a`, `b` or `tie` in the order in which the voter saw the answers."""
    if verdict.preference is Preference.UNPARSED:
        return None
    if verdict.preference is Preference.TIE:
        return "tie"
    same = verdict.first == first
    return "a" if (verdict.preference is Preference.A) == same else "b"
