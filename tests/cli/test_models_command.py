"""`arena models` and `arena judges`: lists, and what they change."""

from collections.abc import Callable
from pathlib import Path

from arena.judging import judge, load_card
from arena.records import BackendKind, Model, Prompt
from arena.store import Store

Arena = Callable[..., tuple[str, int]]


def test_a_model_changed_in_the_file_is_refused_with_the_way_out(
    arena: Arena, tmp_path: Path
) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text("models: {m: {use: 'fake:echo', max_tokens: 9}}\nlimit: 1\n")
    assert arena("generate")[1] == 0
    file.write_text("models: {m: {use: 'fake:echo', max_tokens: 5}}\nlimit: 1\n")
    said, code = arena("generate")
    assert code == 2
    assert "models.m: max_tokens is 5 and was 9" in said
    assert "--new-version" in said
    assert "m@2" in arena("generate --new-version")[0]
    assert "0 new, 1 already there" in arena("generate")[0]
    assert "old version of m@2" in arena("models --format csv")[0]
    said = arena("models rename m first")[0].strip()
    assert (
        said == "m is first now, and m@2 is first@2. Write first into arena.yaml too, under models."
    )
    assert arena("models rename first m")[1] == 0
    assert arena("models archive m")[1] == 0
    assert "old version" not in arena("models --format csv")[0]
    assert "archived" in arena("models --archived --format csv")[0]
    assert arena("models restore m")[1] == 0


def test_a_model_is_renamed_archived_and_removed(arena: Arena, answered: Store) -> None:
    assert "long is tall now" in arena("models rename long tall")[0]
    said, code = arena("models rm long")
    assert code == 2
    assert "no stored model named 'long'" in said
    assert "Its rows are kept" in arena("models rm tall")[0]
    assert [m.name for m in answered.models()] == ["middle", "short"]


def test_a_card_is_copied_with_its_templates_and_overwrites_nothing(
    arena: Arena, tmp_path: Path
) -> None:
    assert arena("judges copy smollm2 mine")[1] == 0
    assert {p.name for p in (tmp_path / "judges").iterdir()} == {
        "mine.yaml",
        "mine.md",
        "mine.score.md",
    }
    assert "is valid" in arena("judges check mine")[0]
    assert "stays as it is" in arena("judges copy smollm2 mine")[0]
    assert arena("judges copy smollm2 ../mine")[1] == 2


def test_an_archived_judge_is_asked_nothing(
    arena: Arena, answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    judge(answered, load_card(write_card("j", "fake:longer"), answered.home), prompts)
    assert arena("judges rm j")[1] == 0
    said, code = arena("judge --judge j")
    assert code == 2
    assert "arena judges restore j" in said
    assert arena("judges restore j")[1] == 0


def test_a_bad_card_does_not_hide_the_others(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "odd.yaml").write_text("model: smollm2\npairwise: {templat: x}\n")
    said, code = arena("judges --format csv")
    assert code == 0
    assert "pairwise.template" in said
    assert "smollm2" in said


def test_the_list_of_judges_says_which_are_archived(
    arena: Arena, answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    card = load_card(write_card("mine", "fake:longer"), answered.home)
    judge(answered, card, prompts)
    assert "archived" not in arena("judges --format csv")[0]
    assert arena("judges archive mine")[1] == 0
    (line,) = [row for row in arena("judges --format csv")[0].split("\n") if row.startswith("mine")]
    assert line.startswith("mine,archived,")


def test_the_current_version_is_the_one_that_the_file_means(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "arena.yaml"
    for tokens in (9, 5, 4):
        file.write_text(f"models: {{m: {{use: 'fake:echo', max_tokens: {tokens}}}}}\nlimit: 1\n")
        assert arena("generate --new-version")[1] == 0
    file.write_text("models: {m: {use: 'fake:echo', max_tokens: 9}}\nlimit: 1\n")
    rows = arena("models --format csv")[0].splitlines()
    states = {row.split(",")[0]: row.split(",")[1] for row in rows}
    assert states["m"] == ""
    assert states["m@2"] == states["m@3"] == "old version of m"


def test_a_run_skips_what_is_archived_and_says_so(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "pair.md").write_text("{{ question }}{{ answer_a }}{{ answer_b }}")
    (tmp_path / "judges" / "j.yaml").write_text(
        "model: fake:longer\nreading: reasoned\npairwise: {template: pair.md}\n"
    )
    models = "{a: 'fake:echo', b: 'fake:first', c: 'fake:longer'}"
    (tmp_path / "arena.yaml").write_text(f"models: {models}\nlimit: 1\njudges: [j]\n")
    assert arena("run")[1] in (0, 1)
    assert arena("models archive c")[1] == 0
    for command in ("run", "generate", "generate --dry-run"):
        said, code = arena(command)
        assert code in (0, 1), said
        assert "The model c is archived and is skipped; 'arena models restore c'" in said
    assert "is archived" in arena("generate --model c=fake:longer")[0]
    assert arena("judges archive j")[1] == 0
    said, code = arena("run")
    assert code in (0, 1)
    assert "The judge j is archived and is skipped" in said
    told = arena("status")[0]
    assert "Archived models, whose rows are counted above: c." in told
    assert "Archived judges: j." in told
    assert "not in arena.yaml" not in told
    assert arena("judges restore j")[1] == 0
    arena("models archive b")
    said, code = arena("run")
    assert code in (0, 1), said
    assert "only a is not archived, so that the judge j has no pair" in said
    assert "compares no two of the models that are not archived; archived are b, c" in said
    arena("models archive a")
    said, code = arena("rank")
    assert code == 2
    assert "archived are a, b, c" in said
    said, code = arena("run")
    assert code == 2
    assert "all models of arena.yaml are archived" in said


def test_a_wrong_entry_or_a_stored_fake_that_is_none_hides_no_other(
    arena: Arena, tmp_path: Path
) -> None:
    Store(tmp_path / "arena.db").put_model(Model("old", BackendKind.FAKE, "crow"))
    (tmp_path / "arena.yaml").write_text("models: {a: 'fake:echo', b: 'fake:parrot'}\n")
    said, code = arena("models --format csv")
    assert code == 0
    assert "no fake model named 'parrot'" in said
    assert "\na," in said
    assert "no fake model named 'crow'" in said
