"""A comparison as JSON, Markdown and JUnit, and as the rows of tables."""

import math
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as Xml

from arena.compare.power import CHANCE
from arena.compare.question import Decision
from arena.compare.report import BOARD, CompareReport, GroupFinding, KindFinding, said_probability
from arena.records import Evidence

UNKNOWN = "–"
MOVERS = 5  # shown on each side
KINDS = {
    Evidence.COMBINED: "votes and judges",
    Evidence.HUMAN: "votes",
    Evidence.JUDGE: "judges",
    Evidence.OBJECTIVE: "benchmarks",
}
Cells = dict[str, Any]


def to_json(report: CompareReport) -> dict[str, Any]:
    """What `json.dumps` takes, with every digit; what is not known or infinite is None."""
    question = report.question
    return {
        "a": report.a,
        "b": report.b,
        "decision": report.decision.value,
        "exit_code": report.decision.exit_code,
        "sentence": str(report.sentence),
        "question": {
            "aim": question.aim.value,
            "margin": question.margin,
            "confidence": question.confidence,
        },
        "decides": report.decides.kind.value,
        "findings": [_finding(one, report) for one in report.findings],
        "control": report.control.value,
        "groups": [_group(one, report) for one in report.groups],
        "gained": [asdict(one) for one in report.gained],
        "lost": [asdict(one) for one in report.lost],
        "needed": [asdict(one) for one in report.needed],
        "models": [asdict(one) for one in report.facts],
        "notes": [str(note) for note in report.notes],
    }


def _finding(finding: KindFinding, report: CompareReport) -> dict[str, Any]:
    found, question = finding.advantage, report.question
    low, high = found.interval(question.confidence)
    elo, elo_low, elo_high = finding.elo(question.confidence)
    points_low, points_high = found.points_interval(question.confidence)
    return {
        "evidence": finding.kind.value,
        "route": finding.route,
        "decision": finding.decision.value,
        "certainty": found.certainty(question.limit(found.scale)),
        "p_value": found.p_value,
        "share": found.share,
        "share_low": low,
        "share_high": high,
        "points": found.points(found.share),
        "points_low": points_low,
        "points_high": points_high,
        "elo": elo,
        "elo_low": elo_low,
        "elo_high": elo_high,
        "prompts": None if finding.route == BOARD else found.prompts,
        "comparisons": found.comparisons,
        "sources": dict(finding.sources),
    }


def _group(group: GroupFinding, report: CompareReport) -> dict[str, Any]:
    low, high = group.advantage.interval(report.question.confidence)
    return {
        "by": group.by,
        "value": group.value,
        "share": group.advantage.share,
        "share_low": low,
        "share_high": high,
        "prompts": group.advantage.prompts,
        "p": group.p,
        "p_adjusted": group.adjusted,
    }


def finding_rows(report: CompareReport) -> list[Cells]:
    """A row for each kind of evidence, rounded for reading."""
    level = f"{report.question.confidence:.0%}"
    rows = []
    for one in report.findings:
        found = one.advantage
        low, high = found.interval(report.question.confidence)
        elo, elo_low, elo_high = one.elo(report.question.confidence)
        certainty = found.certainty(report.question.limit(found.scale))
        rows.append(
            {
                "evidence": KINDS[one.kind] + (" (decides)" if one is report.decides else ""),
                f"{report.b} wins": f"{found.share:.1%}",
                f"{level} interval": f"{low:.1%} to {high:.1%}",
                "points": f"{found.points(found.share):+z.1f}",
                "Elo": UNKNOWN
                if elo is None
                else f"{elo:+z.0f} ({_elo(elo_low)} to {_elo(elo_high)})",
                "certainty": said_probability(certainty),
                "prompts": UNKNOWN if one.route == BOARD else found.prompts,
                "comparisons": found.comparisons,
                "by": one.route,
            }
        )
    return rows


def group_rows(report: CompareReport) -> list[Cells]:
    """A row for each category, language and benchmark."""
    alpha = 1.0 - report.question.confidence
    return [
        {
            "group": f"{one.by} {one.value}",
            f"{report.b} wins": f"{one.advantage.share:.1%}",
            "interval": "{:.1%} to {:.1%}".format(
                *one.advantage.interval(report.question.confidence)
            ),
            "prompts": one.advantage.prompts,
            f"p ({report.control})": said_probability(one.adjusted),
            f"{report.b} is": _mark(one, alpha),
        }
        for one in report.groups
    ]


def _mark(group: GroupFinding, alpha: float) -> str:
    if group.adjusted > alpha:
        return ""
    return "better" if group.advantage.share > 0.5 else "worse"


def mover_rows(report: CompareReport) -> list[Cells]:
    """The prompts that moved most, the gains first."""
    return [
        {
            "moved": side,
            "prompt": one.name,
            f"{report.b} wins": f"{one.share:.0%}",
            "said": one.said,
            "text": one.text,
        }
        for side, found in (("up", report.gained), ("down", report.lost))
        for one in found[:MOVERS]
    ]


def outlook_title() -> str:
    """What the rows of `outlook_rows` say."""
    return f"Prompts needed to be told to ship with a chance of {CHANCE:.0%}"


def outlook_rows(report: CompareReport) -> list[Cells]:
    """A row for each of a few true differences, where it cannot be told yet."""
    if report.decision is not Decision.CANNOT_TELL:
        return []
    return [
        {
            "if the true difference is": f"{one.difference:+z.0f} points",
            "prompts": f"{one.prompts:,}",
            "more than there are": f"{one.more:,}",
        }
        for one in report.needed
    ]


def fact_rows(report: CompareReport) -> list[Cells]:
    """A row for each of the two models; none where an import had no answer's text."""
    if not any(one.answers for one in report.facts):
        return []
    return [
        {
            "model": one.model,
            "answers": one.answers,
            "characters": _known(one.characters, ".0f"),
            "tokens": _known(one.tokens, ".0f"),
            "seconds": _known(one.seconds, ".2f"),
            "dollars per 1,000": _known(one.dollars, ".2f"),
        }
        for one in report.facts
    ]


def to_markdown(report: CompareReport) -> str:
    """A comment for a pull request: the decision, the tables, the notes."""
    signs = {Decision.SHIP: "✅", Decision.DO_NOT: "❌", Decision.CANNOT_TELL: "❔"}
    lines = [f"### {signs[report.decision]} {_plain(report.b)} against {_plain(report.a)}", ""]
    lines += [_plain(str(report.sentence)), "", _pipes(finding_rows(report))]
    titles = {
        f"By group, p-values adjusted by {report.control}": group_rows(report),
        "Prompts that moved most": mover_rows(report),
        "Cost, speed and length": fact_rows(report),
        outlook_title(): outlook_rows(report),
    }
    for title, rows in titles.items():
        if rows:
            lines += [
                "",
                f"<details><summary>{title}</summary>",
                "",
                _pipes(rows),
                "",
                "</details>",
            ]
    lines += [f"\n> {_plain(str(note))}" for note in report.notes]
    return "\n".join(lines) + "\n"


def to_junit(report: CompareReport) -> str:
    """One test case, which fails unless the decision is to ship; the figures are its output."""
    name = f"{report.b} against {report.a}: {report.question.aim}"
    failed = report.decision is not Decision.SHIP
    suite = Xml.Element(
        "testsuite", name="arena compare", tests="1", failures=str(int(failed)), errors="0"
    )
    case = Xml.SubElement(suite, "testcase", classname="arena.compare", name=_printable(name))
    if failed:
        text = _printable(str(report.sentence))
        failure = Xml.SubElement(case, "failure", type=report.decision.value, message=text)
        failure.text = text
    out = Xml.SubElement(case, "system-out")
    out.text = _printable(to_markdown(report))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suite, "unicode") + "\n"


def _elo(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+z.0f}"


def _known(value: float | None, form: str) -> str:
    return UNKNOWN if value is None or not math.isfinite(value) else format(value, form)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    short = " ".join(text.split())
    for mark in "\\`*_<>[]|":
        short = short.replace(mark, f"\\{mark}")
    return short


def _pipes(rows: list[Cells]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(map(str, row.values())) for row in rows)]
    return "\n".join(
        "| " + " | ".join(cell if cell == "---" else _plain(cell) for cell in line) + " |"
        for line in lines
    )


def _printable(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return "".join(
        c
        for c in text
        if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )
