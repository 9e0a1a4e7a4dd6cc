"""The tables, as append-only migrations: a released one is never edited, only followed."""

from arena.store.schema.numbered import m017_numbers
from arena.store.schema.steps import (
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
    migrations,
)

__all__ = ["NAMES", "STEPS", "migrations"]

STEPS = (
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
    m017_numbers,
)
NAMES = frozenset(step.__name__ for step in STEPS)
