"""The rows that stages read and write, as frozen dataclasses.

A row's `key` is a digest of all that it depends on and of nothing else, so that the same
work is found again and other work is not mistaken for it. Time-outs, addresses and names
of keys are how a model is reached, not what it says, and enter no key.
"""

from arena.records.answers import ABSENT, Answer, Decoding, Model, Prompt, Usage, answer_key
from arena.records.judgements import REPAIRED, Judge, Probe, Ranking, Score, Verdict
from arena.records.keys import KEY_BYTES, content_key, keys_after, seed_of
from arena.records.kinds import (
    AllowCode,
    BackendKind,
    Cluster,
    Evidence,
    GroupBy,
    Interval,
    Method,
    Mode,
    PanelRule,
    Preference,
    Reading,
    Ties,
    Winner,
)
from arena.records.names import alike, tidy
from arena.records.notes import COMMAND_LINE, Note, setting
from arena.records.outcomes import (
    NO_JUDGE,
    NOBODY,
    RULE,
    UNSAFE,
    Check,
    Completion,
    Likelihood,
    Marking,
    Outcome,
)
from arena.records.runs import Batch, Failure
from arena.records.votes import (
    REASONS,
    Battle,
    Complaint,
    Flag,
    Grade,
    Leak,
    Remark,
    Report,
    Showing,
    Talk,
    Vote,
    Withdrawal,
)

__all__ = [
    "ABSENT",
    "COMMAND_LINE",
    "KEY_BYTES",
    "NOBODY",
    "NO_JUDGE",
    "REASONS",
    "REPAIRED",
    "RULE",
    "UNSAFE",
    "AllowCode",
    "Answer",
    "BackendKind",
    "Batch",
    "Battle",
    "Check",
    "Cluster",
    "Complaint",
    "Completion",
    "Decoding",
    "Evidence",
    "Failure",
    "Flag",
    "Grade",
    "GroupBy",
    "Interval",
    "Judge",
    "Leak",
    "Likelihood",
    "Marking",
    "Method",
    "Mode",
    "Model",
    "Note",
    "Outcome",
    "PanelRule",
    "Preference",
    "Probe",
    "Prompt",
    "Ranking",
    "Reading",
    "Remark",
    "Report",
    "Score",
    "Showing",
    "Talk",
    "Ties",
    "Usage",
    "Verdict",
    "Vote",
    "Winner",
    "Withdrawal",
    "alike",
    "answer_key",
    "content_key",
    "keys_after",
    "seed_of",
    "setting",
    "tidy",
]
