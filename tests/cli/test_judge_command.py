"""`arena judge` and `arena audit` as a user calls them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arena.cli.main import app
from arena.cli.options import fill_store
from arena.records import Answer, Prompt
from arena.store import Store
from tests.servers import Served, fault, serve

Write = Callable[..., str]
Run = Callable[..., Result]


def script(body: dict[str, Any]) -> str:
    return "[[A]]"


@pytest.fixture
def served() -> Iterator[Served]:
    with serve(lambda body: script(body)) as server:
        yield server


@pytest.fixture
def run(
    answered: Store, prompts: list[Prompt], write_card: Write, served: Served, tmp_path: Path
) -> Run:
    """Calls `arena` on a store with 18 verdicts to ask for, and a judge `j` on a server."""
    lines = [
        json.dumps({"id": p.name, "turns": p.turns, "references": p.references}) for p in prompts
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines), encoding="utf-8")
    price = "price: {input: 1000, output: 2000}"
    write_card("j", f"{{use: 'openai:m', base_url: '{served.url}', max_tokens: 8, {price}}}")

    def call(*words: str) -> Result:
        where = ["--prompts", str(tmp_path / "mine.jsonl")] if words[0] == "judge" else []
        return CliRunner().invoke(app, [*words, *where, "--db", str(answered.path)])

    return call


def test_a_baseline_says_what_it_costs_before_the_run(run: Run, served: Served) -> None:
    done = run("judge", "--judge", "j", "--baseline", "middle", "--dry-run")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "intervals of differences are about 1.2 times as wide" in said
    assert served.calls == []
    alone = run("judge", "--judge", "j", "--models", "long", "--baseline", "middle", "--dry-run")
    assert "times as wide" not in alone.output


def test_a_dry_run_asks_nothing_and_says_what_it_would_take(run: Run, served: Served) -> None:
    done = run("judge", "--judge", "j", "--dry-run")
    assert "asked for once more, which is not counted above: up to 18 calls" in done.output
    assert done.exit_code == 0, done.output
    assert served.calls == []
    row = re.search(r"│ j +│ +18 │ +18 │ +(\d+) │ +(\d+) │ +([\d.]+) +│ – ", done.output)
    assert row is not None
    read, written, dollars = int(row[1]), int(row[2]), float(row[3])
    assert written == 18 * 8
    assert dollars == pytest.approx((read * 1000 + written * 2000) / 1e6, abs=0.06)


@pytest.mark.parametrize("words", [(), ("--prompts", "elsewhere")])
def test_what_was_imported_is_judged_without_a_file_of_its_prompts(
    answered: Store, write_card: Write, words: tuple[str, ...]
) -> None:
    write_card("near", "fake:longer", reading="logit")
    elsewhere = Prompt("four", ("What rhymes?",), "writing", "en", (), "elsewhere")
    other = replace(elsewhere, name="five", turns=("Nobody was asked this.",))
    answered.prompts.add([elsewhere, other])
    for one in answered.models()[:2]:
        answered.answers.add([Answer(one.name, one.key, elsewhere.key, ("Time.",), ("stop",))])
    command = ["judge", "--judge", "near", "--db", str(answered.path), *words]
    done = CliRunner().invoke(app, [*command, "--dry-run"])
    assert done.exit_code == 0, done.output
    told = "2 prompts of elsewhere" if words else "4 prompts of"
    assert told in " ".join(done.output.split())
    (answered.path.parent / "arena.yaml").write_text("prompts: [elsewhere]\n")
    configured = [*command[:5], "--config", str(answered.path.parent / "arena.yaml"), "--dry-run"]
    assert "2 prompts of elsewhere" in CliRunner().invoke(app, configured).output
    misspelt = CliRunner().invoke(app, [*command[:5], "--prompts", "elsewere"])
    assert "did you mean 'elsewhere'?" in misspelt.output


def test_a_run_reports_tokens_and_cost_and_leaves_a_log(
    run: Run, served: Served, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    done = run("judge", "--judge", "j", "--json-log", str(log))
    assert done.exit_code == 0, done.output
    assert "18 new, 0 already there, 90 tokens read, 36 written" in done.stderr
    assert "$0.1620" in done.stderr
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["stored"], last["total"], last["ended"]) == (18, 18, True)
    assert last["cost"] == pytest.approx(0.162)
    estimate = run("judge", "--judge", "j", "--dry-run").output
    assert re.search(r"│ j +│ +18 │ +0 │", estimate)


def test_a_budget_stops_the_run_before_it_is_passed(run: Run, served: Served) -> None:
    """A call can cost 5 × 0.001 + 2 × 0.002 here, and in the worst case far more."""
    done = run("judge", "--judge", "j", "--max-cost", "0.25", "--concurrency", "2")
    assert done.exit_code == 1
    assert "stopped early: the next call could pass the budget of 0.25 dollars" in done.stderr
    asked = len(served.calls)
    assert 0 < asked < 18
    assert f"{18 - asked} are left" in done.stderr
    assert run("judge", "--judge", "j").exit_code == 0
    assert len(served.calls) == 18


def test_a_budget_in_money_needs_a_price(run: Run, write_card: Write) -> None:
    write_card("free", "fake:first")
    done = run("judge", "--judge", "free", "--max-cost", "1")
    assert done.exit_code == 2
    assert "the card of free has no price" in done.stderr


def test_too_little_that_can_be_read_is_an_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.script", lambda body: "hm")
    done = run("judge", "--judge", "j")
    assert done.exit_code == 1
    assert "Only 0.0% of what j said could be read; --min-parsed asks for 95%" in done.stderr
    assert run("judge", "--judge", "j", "--min-parsed", "0").exit_code == 0
    monkeypatch.setattr(f"{__name__}.script", lambda body: "[[A]]")
    assert run("judge", "--judge", "j", "--reparse").exit_code == 1
    done = run("judge", "--judge", "j", "--retry-failed")
    assert done.exit_code == 0, done.output
    assert "18 new" in done.stderr


def test_what_fails_is_named_by_kind(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.script", lambda body: fault(400, "no such thing"))
    done = run("judge", "--judge", "j")
    assert done.exit_code == 1
    assert "18 failed as rejected (j: " in done.stderr
    assert "no such thing" in done.stderr


def test_a_few_pairs_are_chosen(run: Run, served: Served) -> None:
    assert run("judge", "--judge", "j", "--pairs", "2").exit_code == 0
    assert len(served.calls) in (2, 4)


def test_several_judges_are_a_panel(run: Run, write_card: Write, answered: Store) -> None:
    write_card("k", "fake:longer")
    write_card("l", "fake:mute")
    done = run("judge", "--judge", "j,k,l", "--min-parsed", "0", "--min-valid", "2")
    assert done.exit_code == 0, done.output
    assert "Panel of 2: 9 battles" in done.stderr  # l said nothing that can be read
    assert {verdict.judge for verdict in answered.verdicts.where()} == {"j", "k", "l"}


def test_a_panel_of_which_too_few_can_be_read_is_said_after_the_run(
    run: Run, write_card: Write
) -> None:
    write_card("k", "fake:longer")
    write_card("l", "fake:mute")
    words = ["judge", "--judge", "j,k,l", "--min-parsed", "0", "--min-valid", "3"]
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "Panel of 2: min_valid is 3; allowed is 1 to 2" in done.stderr


def test_a_few_pairs_in_one_order_are_followed_by_others(
    run: Run, served: Served, tmp_path: Path
) -> None:
    card = tmp_path / "judges" / "j.yaml"
    card.write_text(card.read_text() + "orders: one\n")
    for _ in range(2):
        before = len(served.calls)
        assert run("judge", "--judge", "j", "--pairs", "4").exit_code == 0
        assert before < len(served.calls) <= before + 4


def test_an_audit_says_what_is_known_as_data(run: Run) -> None:
    run("judge", "--judge", "j")
    done = run("audit", "--judge", "j", "--format", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["flip_rate"]["value"] == 1.0
    assert found["first_slot_rate"] == {
        "value": 1.0,
        "low": pytest.approx(0.4385, abs=1e-3),
        "high": 1.0,
        "n": 18,
        "prompts": 3,
    }
    assert found["agreement"]["n"] == 0
    assert found["cost_per_verdict"]["value"] == pytest.approx(0.009)
    table = run("audit", "--judge", "j").stdout
    assert "first slot rate" in table


def test_labels_and_canaries_ask_the_judge(run: Run, tmp_path: Path, served: Served) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("question,answer_a,answer_b,label\nq,one,two,A\nq,three,four,B\n")
    done = run("audit", "--judge", "j", "--labels", str(path), "--format", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["agreement"]["value"], found["agreement"]["n"]) == (0.0, 2)
    assert (found["cost_per_verdict"]["n"], found["cost_per_verdict"]["value"]) == (4, 0.009)
    assert len(served.calls) == 4
    done = run("audit", "--judge", "j", "--canaries")
    assert done.exit_code == 0, done.output
    assert "of the answers that try to steer it won" in done.stderr
    assert run("audit", "--canaries").exit_code == 2


def test_what_was_read_of_labels_outlasts_the_rows_that_failed(
    tmp_path: Path, write_card: Write
) -> None:
    """On a database that the command itself made: readings are paid for."""

    def script(body: dict[str, Any]) -> Any:
        return fault(400) if "q3" in body["messages"][0]["content"] else "[[A]]"

    rows = "".join(f"q{i},one,two,A\n" for i in range(4))
    (tmp_path / "labels.csv").write_text(f"question,answer_a,answer_b,label\n{rows}")
    database = tmp_path / "new.db"
    with serve(script) as served:
        write_card("j", f"{{use: 'openai:m', base_url: '{served.url}'}}")
        words = ["audit", "--judge", "j", "--labels", str(tmp_path / "labels.csv")]
        for asked in (8, 10):
            done = CliRunner().invoke(app, [*words, "--db", str(database)])
            assert done.exit_code == 1
            assert "2 failed" in done.stderr
            assert "3 pairs" in done.stderr  # the report is shown all the same
            assert "agreement" in done.stdout
            assert len(served.calls) == asked
    assert Store(database).probes.count() == 6


def test_a_database_without_a_row_is_taken_away_again(tmp_path: Path, write_card: Write) -> None:
    write_card("j", "{use: 'openai:m', base_url: 'http://127.0.0.1:9/v1'}")
    (tmp_path / "labels.csv").write_text("question,answer_a,answer_b,label\nq,one,two,A\n")
    words = ["audit", "--judge", "j", "--labels", str(tmp_path / "labels.csv")]
    database = tmp_path / "new.db"
    assert CliRunner().invoke(app, [*words, "--db", str(database)]).exit_code != 0
    assert not database.exists()


def test_a_new_database_that_another_has_open_stays(tmp_path: Path) -> None:
    database, others = tmp_path / "new.db", []

    def stop() -> None:
        others.append(Store(database))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), fill_store(database):
        stop()
    assert database.exists()
    assert others[0].is_empty()
    others[0].close()


def test_an_audit_without_verdicts_says_so(run: Run, tmp_path: Path) -> None:
    done = run("audit")
    assert done.exit_code == 2
    assert "has no verdicts to audit" in done.stderr


def test_checking_a_card_shows_its_prompts(run: Run) -> None:
    done = run("judges", "check", "internlm2-20b")
    assert done.exit_code == 0, done.output
    assert "--- internlm2-20b, rank, zh" in done.stdout
    assert "of the 32,768 of its context" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--judge ,", "names no judge"),
        ("--judge j --min-valid 2", "only 1 judge named"),
        ("--judge j --reparse --batch", "--reparse and --batch do not go together"),
        ("--judge j --collect --dry-run", "--collect and --dry-run do not go together"),
        ("--judge here --max-tokens 5", "here runs here"),
        ("--judge here --max-cost 5", "the card of here has no price"),
        ("--judge led --max-cost 5", "the card of here has no price"),
        ("--judge nobody", "no judge named 'nobody'"),
        ("--judge j --base-url localhost:8000", "must start with http"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_before_anything_is_asked(
    run: Run, served: Served, write_card: Write, words: str, said: str
) -> None:
    write_card("here", "fake:first")
    price = "price: {input: 1, output: 1}"
    write_card("led", f"{{use: 'openai:m', {price}}}", extra="cascade: {to: here}\n")
    done = run("judge", *words.split())
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert served.calls == []


def test_a_retry_is_held_against_the_whole_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seventeen of eighteen can be read; the one that still cannot is not all there is."""
    odd: set[str] = set()

    def mostly(body: dict[str, Any]) -> str:
        text = body["messages"][0]["content"]
        odd.add(text) if not odd else None
        return "hm" if text in odd else "[[A]]"

    monkeypatch.setattr(f"{__name__}.script", mostly)
    assert run("judge", "--judge", "j", "--min-parsed", "0.9").exit_code == 0
    done = run("judge", "--judge", "j", "--min-parsed", "0.9", "--retry-failed")
    assert done.exit_code == 0, done.output
    assert "1 new" in done.stderr


def test_a_budget_holds_for_a_batch(run: Run, served: Served) -> None:
    done = run("judge", "--judge", "j", "--batch", "--max-cost", "1.5")
    assert done.exit_code == 1, done.output
    assert "could pass the budget of 1.5 dollars" in done.stderr
    (batch,) = served.batches.values()
    assert 0 < len(batch.lines) < 18
    again = run("judge", "--judge", "j", "--batch", "--max-cost", "0.0001")
    assert "there is no room in the budget, and nothing was handed in" in again.stderr


def test_a_card_that_does_not_fence_is_refused(run: Run, tmp_path: Path, write_card: Write) -> None:
    write_card("open", "fake:first")
    bare = "{{ question }} {{ answer_a.splitlines()[1] }} {{ answer_b }}"
    (tmp_path / "judges" / "open.md").write_text(bare)
    done = run("judges", "check", "open")
    assert done.exit_code == 2
    assert "not shown whole within its fence" in done.stderr
