"""Models that change, are renamed and are put aside: nothing is lost and nothing asked twice."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from arena.config import Config
from arena.generation.answering import generate
from arena.judging import judge, load_card
from arena.leaderboard.evidence.gathering import gather
from arena.pipeline.drift import mismatches, stages
from arena.records import Check, Decoding, Model, Outcome, Prompt, Vote, Winner
from arena.records.errors import InputError, ModelConflictError, StoreError, UnknownNameError
from arena.records.names import old_versions
from arena.store import Store
from arena.store.archive import Archivable
from arena.store.versions import current_name, find, replaced, resolve, settle, standing


def shorter(model: Model, tokens: int) -> Model:
    return replace(model, decoding=Decoding(max_tokens=tokens))


def test_changed_settings_are_a_new_version_beside_the_old_one(
    answered: Store, models: list[Model], prompts: list[Prompt]
) -> None:
    long, changed = models[0], shorter(models[0], 3)
    with pytest.raises(ModelConflictError, match=r"models\.long: max_tokens is 3 and was 8"):
        settle(answered, [changed])
    both = r"models\.long: .* was 8; models\.short: .* was 2; .* as long@2 and short@2"
    with pytest.raises(ModelConflictError, match=both):
        settle(answered, [changed, models[1], shorter(models[2], 3)])
    (second,) = settle(answered, [changed], new_version=True)
    assert second.name == "long@2"
    assert generate(answered, second, prompts).stored == 3
    assert settle(answered, [changed, long]) == [second, long]  # each goes to its own answers
    assert generate(answered, second, prompts).stored == 0
    (third,) = settle(answered, [shorter(long, 5)], new_version=True)
    assert third.name == "long@3"
    assert current_name(answered, shorter(long, 5)) == "long"
    answered.archive.put(Archivable.MODEL, "long@2")
    assert settle(answered, [shorter(long, 5)])[0].name == "long@3"  # none is left to mix with
    with pytest.raises(InputError, match="arena models restore long@2"):
        settle(answered, [changed])


def test_the_latest_version_is_told_by_its_number_where_nothing_else_is_known() -> None:
    names = ["a", "a@2", "a@10", "b@2", "c"]
    assert old_versions(names) == {"a": "a@10", "a@2": "a@10"}
    assert old_versions(names, ["a", "a@2"]) == {"a": "a@2", "a@10": "a@2"}
    assert old_versions(names, ["a", "a@11"]) == {"a@2": "a", "a@10": "a"}  # none of it is stored


def test_going_back_to_earlier_settings_makes_their_version_the_current_one(
    answered: Store, models: list[Model], prompts: list[Prompt]
) -> None:
    long = models[0]
    for tokens, name in ((3, "long@2"), (5, "long@3")):
        (later,) = settle(answered, [shorter(long, tokens)], new_version=True)
        generate(answered, later, prompts[:1])
        assert replaced(answered)["long"] == name
    assert answered.in_use() == ()
    version = answered.version()
    assert resolve(answered, [long])[0].name == "long"
    assert replaced(answered) == {"long": "long@3", "long@2": "long@3"}  # nothing was asked
    for _ in range(2):
        settle(answered, [long])
    assert replaced(answered) == {"long@2": "long", "long@3": "long"}
    assert answered.in_use() == ("long",)
    assert answered.version() != version  # pages are made anew
    (fourth,) = settle(answered, [shorter(long, 6)], new_version=True)
    generate(answered, fourth, prompts[:1])
    assert set(replaced(answered).values()) == {"long@4"}


def test_versions_are_renamed_together_and_the_one_in_use_stays_in_use(
    answered: Store, models: list[Model]
) -> None:
    long = models[0]
    for tokens in (3, 5):
        settle(answered, [shorter(long, tokens)], new_version=True)
        for model in resolve(answered, [shorter(long, tokens)], new_version=True):
            answered.put_model(model)
    settle(answered, [long])
    renamed = answered.archive.rename("long", "tall")
    assert renamed == {"long": "tall", "long@2": "tall@2", "long@3": "tall@3"}
    assert replaced(answered) == {"tall@2": "tall", "tall@3": "tall"}
    assert not [line for line in mismatches(answered, Config()) if "long" in line]
    assert find(answered, shorter(long, 77)) == shorter(long, 77)  # a model of its own
    with pytest.raises(StoreError, match="'short' already"):
        answered.archive.rename("tall@2", "short")
    assert answered.archive.rename("tall@2", "apart") == {"tall@2": "apart"}


def test_models_of_a_file_that_are_archived_are_skipped_with_a_sentence(
    answered: Store, models: list[Model]
) -> None:
    answered.archive.put(Archivable.MODEL, "middle")
    kept, skipped = standing(answered, models)
    assert [model.name for model in kept] == ["long", "short"]
    assert [str(note) for note in skipped] == [
        "The model middle is archived and is skipped; 'arena models restore middle' takes it back."
    ]
    for model in models:
        answered.archive.put(Archivable.MODEL, model.name)
    with pytest.raises(InputError, match=r"all models of arena\.yaml are archived"):
        standing(answered, models)


def test_a_renamed_model_keeps_its_rows_and_is_asked_for_nothing_again(
    answered: Store, models: list[Model], prompts: list[Prompt]
) -> None:
    before = {a.key for a in answered.answers.where()}
    first, second = (
        next(answered.answers.where(model=name, prompt_key=prompts[0].key)).key
        for name in ("long", "short")
    )
    answered.votes.cast(Vote("b", prompts[0].key, first, second, Winner.MODEL_A, "v", "en", 1.0))
    answered.checks.add([Check("long", "exam", "seen", 0.1, None, None, 9)])
    answered.outcomes.put([Outcome("long", models[0].key, "exam", "1", "q", "acc", 1.0)])
    answered.archive.rename("long", "tall")
    answered.archive.rename("tall", "great")
    assert {a.key for a in answered.answers.where()} == before
    assert list(answered.votes.broken()) == []
    votes = answered.evidence.votes()
    assert (votes.model_a, votes.model_b) == (["great"], ["short"])
    assert answered.evidence.outcomes().model == ["great"]
    (check,) = answered.checks.where()
    assert answered.checks.get([check.key]) == {check.key: check}
    answered.describe([replace(models[0], name="great", organization="us")])
    (again,) = settle(answered, [replace(models[0], name="great")])
    assert generate(answered, again, prompts).stored == 0
    more = [*prompts, Prompt("four", ("Four?",))]
    assert generate(answered, again, more).stored == 1
    assert generate(answered, again, more).stored == 0
    with pytest.raises(StoreError, match="already"):
        answered.archive.rename("great", "short")
    with pytest.raises(UnknownNameError, match="great"):
        answered.archive.rename("grate", "x")


def test_what_was_said_cannot_be_changed_but_for_the_name(answered: Store) -> None:
    from arena.store.connection import sqlite3

    db = answered.archive._connections.db
    for change in ("turns = '[]'", "model_key = 'x'", "finish = '[]'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(f"UPDATE answers SET {change}")


def test_what_is_archived_counts_for_nobody_until_it_is_restored(
    answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    for name, persona in (("one", "fake:longer"), ("two", "fake:longer@0")):
        judge(answered, load_card(write_card(name, persona), answered.home), prompts)
    before, version = gather(answered), answered.version()
    answered.archive.put(Archivable.MODEL, "short")
    answered.archive.put(Archivable.JUDGE, "one")
    after = gather(answered)
    assert set(after.judges) == {"two"}
    assert set(after.judges["two"].models) == {"long", "middle"}
    assert [m.name for m in answered.models()] == ["long", "middle"]
    assert len(answered.models(archived=True)) == 3
    assert {model for model, _, _ in answered.evidence.shown_answers()} == {"long", "middle"}
    assert answered.version() != version
    again = judge(answered, load_card("two", answered.home), prompts)
    assert again[0].total == 6  # of the two models that are left
    answered.archive.restore(Archivable.MODEL, "short")
    answered.archive.restore(Archivable.JUDGE, "one")
    assert {n: len(c) for n, c in gather(answered).judges.items()} == {
        n: len(c) for n, c in before.judges.items()
    }
    with pytest.raises(UnknownNameError):
        answered.archive.restore(Archivable.MODEL, "short")


def test_status_names_what_no_longer_fits_the_file(
    answered: Store, prompts: list[Prompt], write_card: Callable[..., str]
) -> None:
    judge(answered, load_card(write_card("mute", "fake:mute"), answered.home), prompts)
    unparsed = {stage.stage: stage.unparsed for stage in stages(answered, Config())}
    assert unparsed["verdicts"] == answered.counts()["verdicts"] > 0
    write_card("mute", "fake:first")
    (answered.home / "prompts").mkdir()
    (answered.home / "prompts" / "own.jsonl").write_text('{"id": "x", "turns": ["X?"]}\n')
    config = Config.model_validate(
        {
            "models": {"long": {"use": "fake:echo", "max_tokens": 99}},
            "judges": ["mute"],
            "prompts": ["own"],
        }
    )
    said = "\n".join(mismatches(answered, config))
    assert "models.long: max_tokens was 8, is 99" in said
    assert "--new-version" in said
    assert "not in arena.yaml: middle, short" in said
    assert "The card of mute has changed since its verdicts" in said


def test_a_renamed_model_keeps_its_outcomes_under_keys_of_its_new_name(answered: Store) -> None:
    """A benchmark that is run again finds them, and stores none a second time."""
    key = next(model.key for model in answered.models() if model.name == "long")

    def of(name: str) -> list[Outcome]:
        return [Outcome(name, key, "exam", "1", str(k), "acc", 1.0) for k in range(3)]

    answered.outcomes.put(of("long"))
    answered.archive.rename("long", "tall")
    answered.outcomes.put(of("tall"))
    assert answered.outcomes.count() == 3
    assert {row.model for row in answered.outcomes.get([o.key for o in of("tall")]).values()} == {
        "tall"
    }
    answered.archive.rename("tall", "long")
    answered.outcomes.put(of("long"))
    assert answered.outcomes.count() == 3


def test_outcomes_that_an_earlier_version_stored_twice_do_not_stop_a_renaming(
    answered: Store,
) -> None:
    key = next(model.key for model in answered.models() if model.name == "long")
    old, new = (Outcome(name, key, "exam", "1", "0", "acc", 1.0) for name in ("long", "tall"))
    answered.outcomes.put([old])
    with answered._connections.transaction() as db:  # as it was once renamed, and run again
        db.execute("UPDATE outcomes SET model = 'long', key = ? WHERE key = ?", [new.key, old.key])
    answered.outcomes.put([old])
    answered.archive.rename("long", "tall")
    assert answered.outcomes.count() == 2
    assert {row.model for row in answered.outcomes.where()} == {"tall"}
