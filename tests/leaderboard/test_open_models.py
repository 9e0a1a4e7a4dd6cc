"""The table of well-known open models: each line has its sources, and a name finds its line."""

import re

import pytest

from arena.leaderboard.facts import model_facts
from arena.leaderboard.open_models import UNKNOWN, entries, open_model
from arena.store import Store


def test_each_entry_says_something_and_where_it_is_from() -> None:
    names = [name.casefold() for entry in entries() for name in entry["names"]]
    assert len(names) == len(set(names))
    for entry in entries():
        assert set(entry) > {"names", "organization", "license", "sources"}
        assert all(source.startswith("https://") for source in entry["sources"])
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", entry.get("released", "2024-01-01"))
        assert entry.get("context_length", 4096) >= 4096


@pytest.mark.parametrize(
    "weights",
    [
        *("Qwen/Qwen3-8B", "qwen3-8b", "/models/Qwen3-8B/", "unsloth/Qwen3-8B-GGUF"),
        *("Qwen3-8B-Q4_K_M.gguf", "Qwen/Qwen3-8B-FP8", "qwen/qwen3-8b:free", "Qwen3-8B-GPTQ-Int4"),
    ],
)
def test_a_model_is_found_whoever_hosts_or_converted_it(weights: str) -> None:
    found = open_model(weights)
    assert (found.license, found.released) == ("Apache-2.0", "2025-04-29")


@pytest.mark.parametrize("weights", ["", "Qwen3-8B-Base", "my-Qwen3-8B", "qwen3", "echo"])
def test_another_model_is_not_taken_for_it(weights: str) -> None:
    assert open_model(weights) == UNKNOWN


def test_what_arena_yaml_says_comes_first(store: Store) -> None:
    from dataclasses import replace

    from arena.config import parse_model

    plain = parse_model("a=openai:Qwen/Qwen3-8B@http://127.0.0.1:9/v1")
    store.put_model(plain)
    store.put_model(replace(plain, name="b", license="mine", context_length=4096))
    facts = model_facts(store)
    assert (facts["a"].organization, facts["a"].context_length) == ("Alibaba (Qwen)", 32768)
    assert (facts["b"].license, facts["b"].context_length) == ("mine", 4096)
    assert (facts["b"].organization, facts["b"].released) == ("Alibaba (Qwen)", "2025-04-29")
