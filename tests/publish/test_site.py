import csv
import json
import os
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from arena.benchmarks.scores import BenchmarkScore
from arena.judging.report_card.audit import audit
from arena.leaderboard.board import Leaderboard, Policy
from arena.leaderboard.formats import to_csv, to_json
from arena.leaderboard.ranking import ranking
from arena.publish import FILES, publish, publish_ranking
from arena.ratings import Settings, Unrated
from arena.records import BackendKind, Evidence, Model, Prompt, Vote, Winner
from arena.records.errors import InputError
from arena.store import Store
from tests.boards import NAMES, NOTE, fill, make_board, make_row, plain

VOID = {"meta", "link", "input", "br", "line", "circle"}
EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


@dataclass
class Page(HTMLParser):
    """What a browser would see: tags with attributes, and text; closed in the right order."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.opened == []
    return page


def test_these_files_and_nothing_else(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "site"
    path = publish(filled, folder, board, title="T")
    assert path == folder / "index.html"
    there = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    assert sorted(there) == sorted([*FILES, "browse/1.html"])
    expected = json.loads(json.dumps(to_json(board)))
    assert json.loads((folder / "leaderboard.json").read_text()) == expected
    assert (folder / "leaderboard.csv").read_text() == to_csv(board)
    assert {"leaderboard.csv", "leaderboard.json"} <= set(read(path).attributes("href"))


def test_the_page_says_what_the_board_says(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    page = read(publish(filled, tmp_path / "site", board, title="My arena"))
    for row in board.rows:
        assert row.model in page.words
        assert f"{row.rating:.0f}" in page.words
        assert f"{row.rank_low}–{row.rank_high}" in page.words
        assert str(row.rating) in page.attributes("data-value")
    for part in (
        "My arena",
        NOTE,
        str(board.method),
        "judge-only",
        "仅裁判模型",
        "50.0%",
        "31.4–68.6%",
    ):
        assert part in page.words
    assert "72 comparisons from" in page.words
    assert "8 prompts" in page.words
    assert "32 answers" in page.words


def test_a_judge_has_a_card(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    words = read(publish(filled, tmp_path / "site", board, title="T")).words
    (report,) = board.reports
    for share in (report.flips, report.first_slot, report.unparsed):
        between = f"{100 * share.low:.1f}–{share.high:.1%}"
        assert f"{share.value:.1%} {between} , ， n = {share.n}" in words
    assert report.objection is not None
    assert str(report.objection)[1:] in words
    assert "no case" in words


def test_details_and_answers_of_each_model(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    words = read(publish(filled, tmp_path / "site", board, title="T")).words
    for name in NAMES:
        assert f"{name} says something" in words
        assert f"Be {name}." in words
    written = {len(turn) for answer in filled.answers.where() for turn in answer.turns}
    assert min(written) < max(written)
    for name in NAMES:
        own = [len(turn) for a in filled.answers.where(model=name) for turn in a.turns]
        assert f"mean characters 平均字符数 {sum(own) / len(own):.0f}" in words


def test_nothing_is_made_up_of_a_model_from_a_file(store: Store, tmp_path: Path) -> None:
    store.put_model(Model("voted-on", BackendKind.IMPORTED, "voted-on"))
    page = read(publish(store, tmp_path / "site", make_board(make_row("voted-on", 1)), title="T"))
    models = page.words.split("How it writes", 1)[1]
    assert "weights 权重 – imported, so not known 导入的模型，设置不详" in models
    assert "answers 回答数 – mean characters" in models
    assert "greedy" not in models


def test_other_rankings_have_tabs(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    other = replace(
        board,
        evidence=Evidence.OBJECTIVE,
        label="objective-only",
        rows=(make_row("greedy", 1, 1234.0),),
        notes=(plain("Another note"),),
    )
    page = read(publish(filled, tmp_path / "site", board, title="T", others=[other]))
    assert page.attributes("aria-controls") == ["view-1", "view-2"]
    assert {"view-1", "view-2"} <= set(page.attributes("id"))
    assert "1234" in page.words
    assert "Another note" in page.words
    alone = read(publish(filled, tmp_path / "site", board, title="T"))
    assert "tablist" not in alone.attributes("role")


def test_nothing_comes_from_elsewhere(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    path = publish(filled, tmp_path / "site", board, title="T")
    page = read(path)
    for link in page.attributes("href") + page.attributes("src"):
        assert link.startswith("#") or link in FILES
    targets = {link[1:] for link in page.attributes("href") if link.startswith("#")}
    assert targets <= set(page.attributes("id"))
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import|<link(?! rel=.alternate)|<iframe", text)
    assert page.count("script") == 1
    assert len(page.attributes("id")) == len(set(page.attributes("id")))


def test_what_models_write_stays_text(store: Store, tmp_path: Path) -> None:
    fill(store, (EVIL, "b"), [Prompt(EVIL, (EVIL,), EVIL, EVIL, (EVIL,))], EVIL)
    board = replace(
        make_board(make_row(EVIL, 1), make_row("b", 2)),
        label=EVIL,
        settings=Settings("bradley-terry", style=(EVIL,)),
        counts={EVIL: 3},
        notes=(plain(EVIL),),
        group=EVIL,
        benchmarks=(BenchmarkScore(EVIL, EVIL, EVIL, 0.5, None, 1),),
    )
    path = publish(store, tmp_path / "site", board, title=EVIL)
    page = read(path)
    assert page.count("script") == 1
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", path.read_text("utf-8"))
    assert "{{ 7 * 7 }}" in page.words
    assert f"{EVIL} says {EVIL}" in page.words


def test_the_policy_lets_only_the_own_script_run(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    text = publish(filled, tmp_path / "site", board, title="T").read_text("utf-8")
    script = text.split("<script>")[1].split("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_two_publishes_are_equal_to_the_byte(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    first = publish(filled, tmp_path / "one", board, title="T", others=[board])
    again = Store(filled.path)
    second = publish(again, tmp_path / "two", board, title="T", others=[board])
    again.close()
    for name in FILES:
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_somebody_else_stays(
    filled: Store, board: Leaderboard, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "mine"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("my own")
    with pytest.raises(InputError, match="is no file that arena wrote"):
        publish(filled, folder, board, title="T")
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / name]
    assert (folder / name).read_text() == "my own"


def test_the_database_is_never_written_over(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    publish(filled, tmp_path / "site", board, title="T")
    (tmp_path / "site" / "judges.json").unlink()
    (tmp_path / "site" / "judges.json").hardlink_to(filled.path)
    with pytest.raises(InputError, match=r"judges\.json is the database"):
        publish(filled, tmp_path / "site", board, title="T")
    assert Store(filled.path).counts() == filled.counts()


def test_a_failed_write_leaves_the_old_site(
    filled: Store, board: Leaderboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish(filled, tmp_path / "site", board, title="Old")
    (path.parent / "CNAME").write_text("arena.example")
    before = contents(path.parent)

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="no space left"):
        publish(filled, path.parent, make_board(make_row("new", 1)), title="New")
    assert contents(path.parent) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_is_a_file(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        publish(filled, tmp_path / "site", board, title="T")


def test_an_empty_store_and_one_model(store: Store, tmp_path: Path) -> None:
    page = read(
        publish(store, tmp_path / "site", make_board(make_row("only", 1, half=0.0)), title="T")
    )
    assert "only" in page.words
    assert {"judges", "answers", "models"}.isdisjoint(page.attributes("id"))
    assert "notes" not in page.attributes("class")


def test_two_hundred_models_with_long_names(store: Store, tmp_path: Path) -> None:
    rows = [make_row(f"org/{'very-' * 30}long-{n}", n + 1, 1500.0 - n) for n in range(200)]
    path = publish(store, tmp_path / "site", make_board(*rows), title="T " * 200)
    page = read(path)
    assert page.count("tr") == 202
    assert "search" in page.attributes("type")
    assert path.stat().st_size < 600_000


def test_neither_voters_nor_folders_are_published(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    own = Model("own", BackendKind.LOCAL, "/home/somebody/secret/weights")
    filled.put_model(own)
    a, b = (next(filled.answers.where(model=name)) for name in ("greedy", "hot"))
    filled.votes.cast(Vote("battle-1", a.prompt_key, a.key, b.key, Winner.TIE, "voter-secret"))
    path = publish(filled, tmp_path / "site", make_board(make_row("own", 1)), title="T")
    text = path.read_text("utf-8")
    assert "<b>1</b>" in text
    assert "weights" in text
    assert "secret" not in text


def test_the_csv_file_reads_back(filled: Store, board: Leaderboard, tmp_path: Path) -> None:
    path = publish(filled, tmp_path / "site", board, title="T").with_name("leaderboard.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["rating"]) for row in rows] == [row.rating for row in board.rows]


def test_rankings_of_groups_models_not_rated_and_what_is_known_of_a_model(
    store: Store, board: Leaderboard, tmp_path: Path
) -> None:
    model = Model(NAMES[0], BackendKind.FAKE, "echo", organization="Org", price=(0.25, 1.5))
    store.put_model(replace(model, context_length=8192))
    left_out = (Unrated("x", 2, 3, False), Unrated("y", 9, 1, True))
    whole = replace(board, unrated=left_out, min_comparisons=5)
    groups = [replace(board, group=name) for name in ("maths", "coding")]
    site = publish(store, tmp_path, whole, title="T", groups=groups)
    page = read(site)
    for said in (
        "Not rated yet",
        "comparisons so far: 2; it lacks 3 with rated models",
        "比较了 9 次，但与已评分的模型毫无联系；还差 1 次",
        "By category and language",
        "数学",
        "Org",
        "$0.25 / $1.5",
        "8,192",
    ):
        assert said in page.words
    tabs = [tag["aria-controls"] for name, tag in page.tags if tag.get("role") == "tab"]
    assert tabs == ["group-1", "group-2"]
    assert set(tabs) <= set(page.attributes("id"))
    data = json.loads((tmp_path / "groups.json").read_text())
    assert [one["group"] for one in data] == ["maths", "coding"]
    assert data[0]["models"] == json.loads((tmp_path / "leaderboard.json").read_text())["models"]


def test_a_policy_publishes_its_categories(voted: Store, tmp_path: Path) -> None:
    policy = Policy(title="Mine", min_comparisons=1)
    publish_ranking(voted, tmp_path, ranking(voted, policy), policy)
    groups = [one["group"] for one in json.loads((tmp_path / "groups.json").read_text())]
    assert groups == ["coding", "maths", "en", "zh"]
    assert "<title>Mine</title>" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    ("cluster", "english", "chinese"),
    [
        ("prompt", "with other prompts of", "换用同类问题"),
        ("battle", "with other battles of", "换用同类对战"),
        ("voter", "with other voters of", "换用同类投票人"),
        (None, "with as many other comparisons of", "换用同样多的同类比较"),
    ],
)
def test_intervals_are_of_what_the_ranking_takes_to_be_independent(
    filled: Store,
    board: Leaderboard,
    tmp_path: Path,
    cluster: str | None,
    english: str,
    chinese: str,
) -> None:
    other = replace(board, settings=replace(board.settings, cluster=cluster))
    words = read(publish(filled, tmp_path / "site", other, title="T")).words
    assert english in words
    assert chinese in words


def test_the_first_figures_of_a_judge_are_those_of_the_app(
    filled: Store, board: Leaderboard, tmp_path: Path
) -> None:
    page = publish(filled, tmp_path / "site", board, title="T").read_text("utf-8")
    names = re.findall(r'<dt><span class="en" lang="en">([^<]*)', page.split('id="judges"')[1])
    assert names[:4] == ["Agreement with people", "Flip rate", "First-slot rate", "Unparsed"]
    report = board.reports[0]
    assert [name for name, _ in audit([]).items()][:4] == [name for name, _ in report.leading()]


def test_one_of_a_kind_is_no_several(store: Store, tmp_path: Path) -> None:
    fill(store, ("a",), [Prompt("p", ("Q?",))], "x")
    board = make_board(make_row("a", 1))
    one = replace(board, counts={"votes": 1})
    words = read(publish(store, tmp_path / "site", one, title="T")).words
    for said in ("1 model ", "1 prompt ", "1 answer ", "1 comparison from people"):
        assert said in words


def test_a_question_that_an_import_did_not_have_says_so(store: Store, tmp_path: Path) -> None:
    bare = Prompt("8", ("votes.csv: 8",), "imported", source="votes.csv")
    fill(store, ("a", "b"), [bare], "x")
    board = make_board(make_row("a", 1), make_row("b", 2))
    page = read(publish(store, tmp_path / "site", board, title="T"))
    assert "The import had no text of this prompt; its id there is 8." in page.words
    assert "导入的文件中没有这个问题的文本；它在其中的编号是 8。" in page.words
