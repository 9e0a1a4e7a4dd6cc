"""What is said of names that are not there."""

import pytest

from arena.records.errors import MOST_NAMES, UnknownNameError

MODELS = ("GPT 4", "LLaMA-2-Chat (70B)", "通义千问")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("gpt-4", "GPT 4"), ("llama2 chat 70b", "LLaMA-2-Chat (70B)"), ("通义", "通义千问")],
)
def test_a_name_is_found_whatever_its_spelling(name: str, meant: str) -> None:
    assert f"no model named {name!r}; did you mean {meant!r}?" in str(
        UnknownNameError("model", name, MODELS)
    )


def test_of_many_names_a_few_are_told() -> None:
    said = str(UnknownNameError("model", "zzz", [f"m{k:03}" for k in range(90)]))
    assert said.endswith(f"'m{MOST_NAMES - 1:03}' and 70 more.")
    assert "there is 'GPT 4'" in str(UnknownNameError("model", "zzz", MODELS))


def test_a_name_of_marks_alone_is_looked_for_as_it_is() -> None:
    assert "did you mean '**'?" in str(UnknownNameError("model", "***", ["**", "a"]))
