"""The leaderboard page: every view of one table, charts of it, and files."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.config import Config, JudgeRun, RankSettings, parse_model
from arena.leaderboard.board import Mark, ModelFacts, Policy, Row
from arena.leaderboard.ranking import rank_comparisons
from arena.leaderboard.snapshot import GRADED, Sheet, Slice, _wins, compute
from arena.ratings import Comparisons, Unrated
from arena.records import Answer, Evidence, Note, Prompt, Vote, Winner
from arena.records.names import old_versions
from arena.records.notes import load_sentences
from arena.store import Store
from arena.web.app import head
from arena.web.files import board_file, wins_file
from arena.web.pages.leaderboard import BoardPage, BoardRequest, style_of, wanted_of
from arena.web.security.voters import Visitor, Voters
from arena.web.services import Services, services
from arena.web.views import board_table, no_ranking, plots
from arena.web.views.words import WORDS
from arena.web.voting.battles import Ballot, start, vote
from arena.web.voting.grades import grade, show
from arena.web.voting.pool import Pool
from tests.boards import make_board, plain

Visit = Callable[..., Visitor]


@pytest.fixture
def voted(answered: Store, pool: Pool) -> Store:
    """Twenty-seven votes for longer answers, and a few grades."""
    for voter in ("one", "two", "three"):
        for _ in range(9):
            shown = start(answered, pool, voter)
            longer = len(str(shown.first.turns)) >= len(str(shown.second.turns))
            winner = Winner.MODEL_A if longer else Winner.MODEL_B
            vote(answered, shown.battle.key, voter, Ballot(winner))
        for _ in range(6):
            single = show(answered, pool, voter)
            value = 5 if single.answer.model == "long" else 2
            grade(answered, single.showing.key, voter, value)
    return answered


def test_a_sheet_has_every_view_that_there_is_evidence_for(voted: Store) -> None:
    sheet = compute(voted, Slice())
    assert set(sheet.boards) == {"combined", "human", GRADED}
    best = max(sheet.boards["human"].rows, key=lambda row: row.rating)
    assert best.model == "long"
    wins = sheet.wins["human"]
    assert wins.models[0] == "long"
    assert wins.played.sum() == 2 * 27
    assert wins.observed[0, 1] + wins.observed[1, 0] == pytest.approx(1)
    assert wins.predicted[0, 2] > wins.predicted[0, 1] > 0.5
    assert sheet.grades["long"][0] == 5
    assert sheet.history is not None
    assert sheet.history.votes[-1] == 27
    assert len(sheet.history.times) == len(sheet.history.votes)


def test_a_slice_counts_its_prompts_alone(voted: Store) -> None:
    few = Config(rank=RankSettings(min_comparisons=1))
    sheet = compute(voted, Slice("category", "maths"), few)
    assert sheet.boards["human"].counts == {"votes": 9}
    assert sheet.boards["human"].group == "maths"


def test_the_page_says_what_the_ranking_stands_on(shared: Services, visit: Visit) -> None:
    page = BoardPage(shared)
    nothing = page.show(visit(), BoardRequest(view="human"), 10.0)
    assert "<table" not in nothing.table
    assert str(shared.store.path) not in nothing.table
    pool = Pool(shared.store, rest=0.0)
    for _ in range(9):
        shown = start(shared.store, pool, "somebody")
        vote(shared.store, shown.battle.key, "somebody", Ballot(Winner.TIE))
    page.show(visit(), BoardRequest(view="human"), 10.0)
    found = page.show(visit("zh"), BoardRequest(view="human", search="LON"), 10.0)
    while "<table" not in found.table:
        found = page.show(visit("zh"), BoardRequest(view="human", search="LON"), 10.0)
    assert "以人类投票为准" in found.table
    assert found.table.count("<tr hidden>") == 2
    # Nothing came since, so nothing newer is being counted.
    assert WORDS["zh"]["old"] not in found.table
    vote_once = start(shared.store, pool, "another")
    vote(shared.store, vote_once.battle.key, "another", Ballot(Winner.TIE))
    stale = page.show(visit("zh"), BoardRequest(view="human"), 0.0)
    assert WORDS["zh"]["old"] in stale.table
    assert found.chart is not None


VIEWED = ["combined", "human", "judge", "judge:j", "panel", GRADED, "objective"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("view", VIEWED)
def test_where_there_is_no_ranking_the_page_says_why_and_what_to_do(
    view: str, language: str
) -> None:
    words = WORDS[language]
    bare = no_ranking.render(Sheet(Slice()), view, language)
    assert words["no_ranking"] in bare
    assert words[f"why_no_{view.split(':')[0]}"] in bare
    assert ("href=" in bare) == (view in ("combined", "human", GRADED))
    broken = Sheet(Slice(), errors={view: plain("It does <not> converge.")})
    told = no_ranking.render(broken, view, language)
    assert "It does &lt;not&gt; converge." in told
    assert words[f"why_no_{view.split(':')[0]}"] not in told
    weak = Sheet(Slice("category", "maths"), problems={view: plain("It is <weak>.")})
    page = no_ranking.render(weak, view, language)
    assert words["no_ranking_here"] in page
    assert "It is &lt;weak&gt;." in page
    link = unescape(re.findall('href="./leaderboard([^"]*)"', page)[0])
    wanted = wanted_of(dict(parse_qsl(link.removeprefix("?"))), [])
    assert wanted.view == view
    assert wanted.slice == Slice("category", "maths", weak=True)


def test_a_name_cannot_write_html(voted: Store) -> None:
    sheet = compute(voted, Slice())
    board = sheet.boards["human"]
    rows = tuple(replace(row, model="<img src=x>") for row in board.rows)
    hostile = replace(sheet, boards={"human": replace(board, rows=rows)})
    page = board_table.render(hostile, "human", "en")
    assert "<img" not in page
    assert "&lt;img" in page


@pytest.mark.parametrize("name", plots.NAMES)
def test_a_chart_is_drawn_or_said_to_be_missing(voted: Store, name: str) -> None:
    sheet = compute(voted, Slice())
    figure = plots.draw(name, sheet, "human", WORDS["zh"])
    drawn = {"ratings", "ranks", "wins", "history"}
    assert (figure is not None) == (name in drawn)


def test_models_off_the_line_are_named() -> None:
    def rows(ratings: list[float]) -> tuple[Row, ...]:
        return tuple(
            Row(f"m{k}", r, r - 40, r + 40, 1, 1, 10, 50, 0.1) for k, r in enumerate(ratings)
        )

    def title(human: list[float]) -> str:
        boards = {"human": make_board(*rows(human)), "objective": make_board(*rows(measured))}
        sheet = Sheet(Slice(), boards=boards)
        return str(plots.draw("objective", sheet, "human", WORDS["en"]).layout.title.text)

    measured = [900.0 + 20 * k for k in range(10)]
    human = [2 * v - 1000 for v in measured]
    assert "off the line" not in title(human)
    human[4] += 200
    assert title(human).endswith("off the line: m4")


def test_the_overall_column_is_there_with_its_weights_where_benchmarks_are(voted: Store) -> None:
    sheet = compute(voted, Slice())
    assert "Overall: the mean of" not in board_table.render(sheet, "combined", "en")
    board = sheet.boards["combined"]
    rows = board.rows
    whole = replace(
        board,
        overall=rows,
        weights=(("human", 0.75), ("objective", 0.25)),
        parts={"human": rows, "objective": rows},
    )
    page = board_table.render(replace(sheet, boards={"combined": whole}), "combined", "zh")
    assert "人类投票 75%" in page
    assert WORDS["zh"]["overall"] in page
    moved = board_table.movers_table(whole, "en")
    points = 0.75 * (rows[0].rating - 1000)
    assert f"People&#39;s votes {points:+.0f}" in moved
    assert board_table.movers_table(board, "en") == ""


def test_files_hold_what_the_page_shows(voted: Store) -> None:
    sheet = compute(voted, Slice())
    table = board_file(sheet, "human", "csv")
    assert table is not None
    assert next(iter(csv.DictReader(io.StringIO(table))))["model"] == "long"
    wins = wins_file(sheet, "human", "json")
    assert wins is not None
    assert sum(row["comparisons"] for row in json.loads(wins)) == pytest.approx(27)
    assert board_file(sheet, "judge", "csv") is None


def test_a_link_to_the_page_is_read_with_care() -> None:
    query = {"view": "human", "by": "language", "value": "zh", "search": "x", "chart": "wins"}
    wanted = wanted_of(query | {"style": "1"}, ["rank"], Evidence.JUDGE)
    assert wanted.view == "human"
    assert (wanted.search, wanted.chart, wanted.columns) == ("x", "wins", ("rank",))
    assert wanted.slice == Slice("language", "zh", style=True)
    query = {"view": "<script>", "by": "source", "value": "x", "chart": "pie", "weak": "yes"}
    odd = wanted_of(query, [], Evidence.JUDGE)
    assert (odd.view, odd.chart) == ("judge", "ratings")
    assert odd.slice == Slice()


def voted_on(store: Store, answer: Callable[[int], str]) -> Sheet:
    """Votes on four models' answers, the style of each as given; the sheet with style control."""
    names = "abcd"
    model = {name: parse_model(f"{name}=fake:echo") for name in names}
    prompts = [Prompt(f"p{k}", (f"Question {k}?",), "talk", "en") for k in range(12)]
    store.put_prompts(prompts)
    for one in model.values():
        store.put_model(one)
    keys, votes = {}, []
    for k, prompt in enumerate(prompts):
        for j, name in enumerate(names):
            text = answer(k + 2 * j)
            made = Answer(name, model[name].key, prompt.key, (text,), ("stop",))
            store.answers.add([made])
            keys[name, k] = made.key
        for first, second in combinations(names, 2):
            won = Winner.MODEL_A if (k * 7 + ord(first) * ord(second)) % 3 else Winner.MODEL_B
            pair = keys[first, k], keys[second, k]
            votes.append(Vote(f"{first}{second}{k}", prompt.key, *pair, won, f"v{k}"))
    store.votes.cast_all(votes)
    return compute(store, Slice(style=True))


def test_style_control_holds_what_differs(store: Store) -> None:
    """No answer has a heading or code, which is no reason to show nothing."""
    sheet = voted_on(store, lambda k: "word " * (1 + k % 5) + "**bold** " * (k % 3))
    effects = [effect.name for effect in sheet.boards["human"].effects]
    assert effects == ["length", "bold"]
    assert "human" not in sheet.unheld


def test_where_no_style_differs_the_page_says_so(store: Store) -> None:
    sheet = voted_on(store, lambda k: "all alike")
    assert list(sheet.unheld) == ["human"]
    page = no_ranking.render(sheet, "human", "en")
    assert WORDS["en"]["style_unheld"] in page
    assert WORDS["en"]["why_no_human"] not in page


def test_notes_are_one_line_and_what_concerns_one_model_is_in_its_row() -> None:
    c = Comparisons.from_columns(["A", "a", "x"], ["a", "x", "A"], outcome=[1, 1, 1])
    marks = (Mark("x", Note.of("ratings.model_above", points=90)),)
    board = replace(rank_comparisons(c, Policy(min_comparisons=1)), marks=marks)
    sheet = Sheet(Slice(), boards={"human": board})
    for language, line, said in (
        ("en", "1 note", "Votes put it 90 points above what judges predict."),
        ("zh", "1 条说明", "人类投票比裁判的预测高 90 分。"),
    ):
        page = board_table.render(sheet, "human", language)
        assert f'<details class="notes"><summary>{line}</summary>' in page
        assert page.count(f'title="{said}"') == 1
        assert said in page.split('data-value="x"')[1].split("</th>")[0]


def ranked_sheet(**changed: Any) -> Sheet:
    """Three models, of which two cannot be told apart; one more is not rated yet."""
    rows = (
        Row("a", 1100, 1080, 1120, 1, 1, 1, 50, 0.9),
        Row("b", 1000, 980, 1020, 2, 2, 3, 50, 0.1),
        Row("c", 990, 970, 1010, 3, 2, 3, 50, 0.0),
    )
    left_out = (Unrated("d", 2, 3, False), Unrated("e<b>", 9, 1, True))
    board = replace(make_board(*rows), unrated=left_out, min_comparisons=5)
    about = {"a": replace(parse_model("a=fake:echo"), organization="Org", price=(0.1, 2.5))}
    return replace(Sheet(Slice(), boards={"human": board}, about=about), **changed)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_has_one_rank_and_its_range_and_no_empty_column(language: str) -> None:
    words, page = WORDS[language], board_table.render(ranked_sheet(), "human", language)
    ranks = re.findall(r'data-value="(\d)"><b>(\d)</b> <small>([\d–]+)</small>', page)
    assert ranks == [("1", "1", "1"), ("2", "2", "2–3"), ("2", "2", "2–3")]
    heads = re.findall(r'data-name="(\w+)"', page)
    assert heads == ["rank", "model", "interval", "rating", "comparisons", "price", "organization"]
    assert "$0.1 / $2.5" in page
    assert "95%" in page
    assert 'href="./models?name=a"' in page
    below = page.split('id="unrated"')[1]
    assert words["unrated_few_comparisons"].format(count=2, lacks=3) in below
    assert words["unrated_apart_comparisons"].format(count=9, lacks=1) in below
    assert "e&lt;b&gt;" in below
    assert 'id="unrated"' not in board_table.render(
        Sheet(Slice(), boards={"human": make_board()}), "human", language
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_model_takes_has_columns_where_it_is_known(language: str) -> None:
    words, sheet = WORDS[language], ranked_sheet()
    facts = {
        "a": ModelFacts(cost_per_1000=1.2345, first_token=0.25, seconds=3.0, released="2025-04"),
        "b": ModelFacts(tokens_per_second=51.26, thinking_tokens=1234.5, answer_tokens=99.5),
    }
    sheet = replace(sheet, boards={"human": replace(sheet.boards["human"], facts=facts)})
    page = board_table.render(sheet, "human", language, columns=board_table.COLUMNS)
    for said in ("$1.23", "0.25", "51.3", "1,234", "2025-04", words["per_1000"]):
        assert f"{said}<" in page or f"{said} <" in page
    heads = re.findall(r'data-name="(\w+)"', page)
    known = ["cost", "first_token", "seconds", "speed", "thinking", "answer_tokens", "released"]
    assert [name for name in heads if name in board_table.FACTS] == known
    assert all(words[name] in page for name in known)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_search_that_finds_nobody_says_so(language: str) -> None:
    for search, nobody in (("", False), ("a", False), ("no such model", True)):
        page = board_table.render(ranked_sheet(), "human", language, search=search)
        assert f'<p class="note nobody"{"" if nobody else " hidden"}>' in page
    assert WORDS[language]["nobody_named"] in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_overall_column_follows_the_rating_and_says_its_weights_as_everywhere(
    language: str,
) -> None:
    sheet = ranked_sheet()
    board = sheet.boards["human"]
    weights = (("human", 0.5), ("judge", 0.25), ("objective", 0.25))
    board = replace(board, overall=board.rows, weights=weights)
    sheet = replace(sheet, boards={"human": board})
    page = board_table.render(sheet, "human", language)
    heads = re.findall(r'data-name="(\w+)"', page)
    assert heads[heads.index("rating") + 1] == "overall"
    words, kinds = WORDS[language], [f"kind.{kind}" for kind, _ in weights]
    assert [words[kind] for kind, _ in weights] == [load_sentences(language)[k] for k in kinds]
    assert board.weighting is not None
    said = unescape(page)
    assert board.weighting.text(language) in said
    assert all(f"{words[kind]} {share:.0%}" in said for kind, share in weights)


def test_the_page_says_how_it_ranks_and_where_that_is_written() -> None:
    policy = Policy.configured(
        Config(
            judges=[JudgeRun(judge="j"), JudgeRun(judge="cards/k.yaml")],
            rank=RankSettings(allow_weak_judges=True, min_comparisons=7, evidence=Evidence.JUDGE),
        )
    )
    page = board_table.render(ranked_sheet(policy=policy), "human", "en")
    for said in ("as arena.yaml says", "Judge models", "needs: 7", "j, k", "weak judges count"):
        assert said in page.split('class="method"')[-1]
    assert "by the defaults" in board_table.render(ranked_sheet(), "human", "en")


def test_only_what_has_evidence_can_be_chosen(voted: Store) -> None:
    page = BoardPage(services(voted, Voters("a secret of enough characters")))
    page.show(Visitor(None, "en", ""), BoardRequest(), 30.0)
    assert [view for _, view in page.views("en")] == ["combined", "human", GRADED]
    assert [view for _, view in page.views("en", "judge:x")][-1] == "judge:x"
    groups = [group for _, group in page.groups("zh")]
    assert groups[0] == "all"
    assert {"category=maths", "language=zh"} < set(groups)
    assert page.groups("en", "category=<x>")[-1] == ("<x>", "category=<x>")
    found = page.show(Visitor(None, "en", ""), BoardRequest(chart="needle"), 30.0)
    assert found.charted == "ratings"
    assert [name for _, name in found.charts] == [
        "ratings",
        "ranks",
        "wins",
        "history",
        "categories",
    ]


def test_style_control_is_shut_where_it_has_no_effect_and_says_why(voted: Store) -> None:
    page = BoardPage(services(voted, Voters("a secret of enough characters")))
    for view, has_effect in (("combined", False), (GRADED, False), ("human", True)):
        wanted = BoardRequest(view=view, style=True)
        box = style_of(wanted, "en")
        assert (box["interactive"], box["value"]) == (has_effect, has_effect)
        assert box["info"] == WORDS["en"]["style_info" if has_effect else "style_combined"]
        assert style_of(replace(wanted, style=False), "zh")["value"] is False
        shown = page.show(Visitor(None, "en", ""), wanted, 30.0)
        assert shown.ranked or view == "human"


def test_old_versions_are_marked_wherever_a_model_has_a_line() -> None:
    rows = [Row(name, 1010, 990, 1030, 1, 1, 2, 9, 0.5) for name in ("m", "m@2")]
    score = BenchmarkScore("sums", "acc", "m", 1.0, 0.0, 4)
    board = replace(make_board(*rows), unrated=(Unrated("n", 1, 4, False),), benchmarks=(score,))
    names = ("m", "m@2", "n", "n@3")
    about = {name: replace(parse_model("fake:echo"), name=name) for name in names}
    replaced = old_versions(names)
    sheet = Sheet(Slice(), boards={"human": board}, about=about, replaced=replaced)
    page = board_table.render(sheet, "human", "en")
    assert (
        page.split('data-value="m"')[1]
        .split("</th>")[0]
        .endswith('<small class="old">old version of m@2</small>')
    )
    assert "old" not in page.split('data-value="m@2"')[1].split("</th>")[0]
    assert "old version of n@3" in page.split('id="unrated"')[1]
    assert page.count("old version") == 2
    tasks = board_table.tasks_table(board, "zh", replaced)
    assert tasks.count("m@2 的旧版") == 1
    assert "SE –" in tasks  # all alike: there is no spread to tell an error by
    assert "SE 0" not in tasks


def test_the_rank_is_explained_where_it_stands() -> None:
    for language in ("en", "zh"):
        page = board_table.render(ranked_sheet(), "human", language)
        assert WORDS[language]["rank_is"] in unescape(page.split("</table>")[1])


def test_the_chart_follows_the_search_of_the_table(voted: Store, visit: Visit) -> None:
    page = BoardPage(services(voted, Voters("a secret of enough characters")))
    wanted = BoardRequest(view="human", search=" LON")
    assert page.sought(visit(), wanted) is None  # nothing is computed yet
    assert page.show(visit(), wanted, 30.0).chart.data[0].y == ("long",)
    found = page.sought(visit(), replace(wanted, search="MID"))
    assert found is not None
    assert found[0].data[0].y == ("middle",)
    assert page.sought(visit(), replace(wanted, search="nobody")) == (
        None,
        WORDS["en"]["nobody_found"],
    )


def test_a_chart_says_what_it_leaves_out_and_names_its_columns_on_top() -> None:
    names = [f"m{k:02d}" for k in range(40)]
    pairs = [(a, b) for a in names for b in names if a < b]
    c = Comparisons.from_columns(*zip(*pairs, strict=True), outcome=[0.5] * len(pairs))
    board = rank_comparisons(c)
    sheet = Sheet(Slice(), boards={"human": board}, wins={"human": _wins(c, board)})
    words = WORDS["en"]
    assert "first 30 of 40" in plots.left_out(sheet, "human", "wins", words)
    assert plots.left_out(sheet, "human", "ratings", words) == ""
    wins = plots.wins(sheet, "human", words)
    assert wins.layout.xaxis.side == "top"
    both = replace(sheet, boards={"human": board, "judge": board})
    chart = plots.draw("judges", both, "human", words)
    named = [text for text in chart.data[-1].text if text]
    assert 0 < len(named) < 10
    assert len(chart.data[-1].customdata) == 40


def test_an_arena_is_called_what_its_configuration_says() -> None:
    assert head("Our <arena>").count('"title": "Our &lt;arena>"') == len(WORDS)
    for language in WORDS:
        assert f'"title": "{WORDS[language]["title"]}"' in head(Policy().title)
