"""Every command line of the README and the docs runs, in the order of its page.

A page has a folder of its own, with what its reader would have: models, prompts, judges, answers,
votes and files of other tools. The models are fakes, or stand on a server of this test.
"""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random
from shutil import copyfile, copytree, rmtree
from signal import SIGTERM
from socket import socket
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
import typer
import yaml
from typer.testing import CliRunner

from arena.cli.main import app
from tests import exchange_files, result_files
from tests.servers import Served, serve

ROOT = Path(__file__).resolve().parents[1]
# An English page stands for its translation, which has the same commands: see below.
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if not path.name.endswith(".zh-CN.md")
]
TRANSLATED = [page for page in PAGES if (ROOT / page).with_suffix(".zh-CN.md").exists()]

# What cannot run in a test: how its lines begin, and why.
NOT_HERE = {
    "make ": "it builds the environment, or runs this suite",
    "pip install ": "it downloads gigabytes; test_wheel.py installs the package",
    "docker compose ": "there is no Docker here; test_deploy.py reads what it would start",
    "arena demo": "it runs the embedded model for minutes; CI runs it with --tiny",
    "arena bench --tasks gsm8k,mmlu": "the hub has these sets, and no test asks the network",
    "arena bench --model hf:M": "the hub has these weights and this set",
    "arena generate --devices cuda:": "there are no two GPUs here",
    "arena judge --judge a,b --devices all": "there is no GPU here",
    "arena bench --tasks core --devices all": "there is no GPU here",
    "arena judge --judge internlm2-20b --executor ray": "the judge has 40 GB of weights",
    "ray start ": "backends/cluster/test_cluster.py starts a cluster of two nodes",
    "RAY_ADDRESS=HEAD": "there are no other machines here",
    "vllm serve ORG/NAME": "it spans two machines with eight GPUs each",
    "arena judge --judge internlm2-20b --base-url http://HEAD": "it asks that server",
    "arena bench --speed smollm2": "backends/local/test_speed.py measures the embedded model",
}
# What a page says in general, as a reader would write it: whole lines, then words.
MEANT = {
    "arena import PATH": "arena import mt_bench",
    "arena export FORMAT PATH": "arena export table votes.csv",
    "arena compare A B": "arena compare bot-1.3 bot-1.4",
    "arena compare small@1 small": "arena compare small small-brief",
    "arena compare BASELINE MODEL": "arena compare org/alpaca gpt4_1106_preview",
    "arena diff OLD NEW": "arena diff last-release.db arena.db",
    "arena place MODEL": "arena place newcomer",
    "arena bench --models M --tasks gsm8k": "arena bench --models bot-1.4 --tasks arithmetic_en",
    "arena import opencompass FOLDER": "arena import opencompass opencompass",
    "arena import opencompass-subjective FOLDER": "arena import opencompass-subjective subjective",
    "arena import lm-eval PATH": "arena import lm-eval lm-eval",
    "arena import evalscope PATH": "arena import evalscope evalscope",
    "arena import battles FILE": "arena import battles battles.csv",
    "arena generate --prompts FILE": "arena generate --prompts question.jsonl",
    "arena judge --baseline X": "arena judge --judge gate --baseline bot-1.3",
    "arena rank --method": "arena rank --method ppi",
    "arena judge --pairs": "arena judge --judge a --pairs 5",
    "arena judge --judge strong-api --max-cost 20 --rpm 500": (
        "arena judge --judge strong-api --max-cost 20 --rpm 60000"  # or it takes a minute
    ),
    "arena export store": "arena export store whole",
    "arena bench": "arena bench --tasks arithmetic_en",
    "arena backup FILE": "arena backup copy.db",
    "arena restore FILE": "arena restore copy.db",
}
WORDS = {
    "hf:Qwen/Qwen3-0.6B": "fake:echo",
    "ID=hf:M": "id=fake:echo",
    "NAME": "mine",
    "MODEL": "org/alpaca",
    "J": "gate",
    "FOLDER": "outputs",
}
PLACEHOLDERS = {"文件夹": "FOLDER", "文件": "FILE", "路径": "PATH", "名字": "NAME"}
ANSWER = r"<(answer_([ab])(?:_\d+)?) (\w+)>\n(.*?)\n</\1 \3>"
# Where a page says that a command may end with something else than 0.
ENDS = {"arena compare": (0, 1, 3), "arena place": (0, 3)}


def lines(page: str) -> Iterator[str]:
    """Each command line of a page, once: in blocks of shell, and in running text.

    In running text a command without what it needs is its name, and not what anybody would type.
    """
    seen = set()
    text = (ROOT / page).read_text("utf-8")
    for block, inline in re.findall(r"```sh\n(.*?)```|(?<!`)`(arena [^`]+)`", text, re.DOTALL):
        for line in [inline] if inline else block.splitlines():
            plain = re.split(r"\s+#", line.strip())[0].removesuffix(" …").removeprefix("$ ")
            if plain and plain not in seen and not (inline and is_a_name(plain)):
                seen.add(plain)
                yield plain


def is_a_name(line: str) -> bool:
    """Whether it is a command alone, and one that wants more, or a command of its own."""
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    wants = any(one.required for one in command.params)
    return not words and (wants or getattr(command, "no_args_is_help", False))


def meant(line: str, url: str) -> str:
    """url: of a server. Of benchmarks that have hundreds of items, a few are asked."""
    line = MEANT.get(line, line).replace("http://localhost:8000/v1", url)
    few = " --limit 4" if line.startswith("arena bench --tasks") else ""
    return " ".join(WORDS.get(word, word) for word in line.split(" ")) + few


def run(line: str, ends: tuple[int, ...] = (0,)) -> None:
    done = CliRunner().invoke(app, shlex.split(line)[1:])
    assert done.exit_code in ends, f"{line}\n{done.output}\n{done.exception!r}"


# What a reader has.


def questions(folder: Path) -> None:
    own = [
        {"id": f"mail-{k}", "turns": [f"Tell me of {k} " + "big things and small " * (1 + k % 4)],
         "category": ("writing", "knowledge")[k % 2], "language": "en"}
        for k in range(24)
    ]  # fmt: skip
    for name in ("mine", "gate"):
        exchange_files.lines(folder / "prompts" / f"{name}.jsonl", own)
    exam = ["question,A,B,C,D,answer", "What is 1 + 1?,2,3,4,5,A", "What is 2 + 2?,2,3,4,5,C"]
    (folder / "exam.csv").write_text("\n".join(exam))


def judges(folder: Path, url: str) -> None:
    (folder / "judges").mkdir()
    reward = "{model: 'fake:longer', reading: reward}"
    (folder / "judges" / "skywork-reward-v2-0.6b.yaml").write_text(reward)
    names = ("internlm2-20b", "smollm2", "mine", "gate", "gpt4", "a", "b", "c", "strong-api")
    for place, name in enumerate(names):
        card = yaml.safe_load((ROOT / "judges" / "internlm2-20b.yaml").read_text("utf-8"))
        del card["start"], card["note"]
        card["model"] = {"use": "fake:plain" if name in "bc" else "fake:longer"}
        if name in ("mine", "gpt4", "strong-api"):
            price = {"input": 1.0, "output": 2.0}
            card["model"] = {"use": "openai:m", "base_url": url, "price": price}
        card["model"]["max_tokens"] = 64 + place  # or several of them were one judge
        (folder / "judges" / f"{name}.yaml").write_text(yaml.safe_dump(card))
    for template in (ROOT / "judges").glob("internlm2-20b*.md"):
        copyfile(template, folder / "judges" / template.name)


BOTS = {"bot": 6, "bot-1.3": 4, "bot-1.4": 9, "released": 5, "candidate": 12, "newcomer": 7}
CONFIG = {
    "models": {
        name: {
            "use": "fake:echo",
            "max_tokens": room,
            "temperature": 0.5,
            "price": {"input": 0.1, "output": 0.4},
        }
        for name, room in BOTS.items()
    },
    "prompts": ["mine"],
    "judges": ["gate"],
    "publish": "site",
}


def files_of_other_tools(folder: Path) -> None:
    for place in ("mt_bench", "data/mt_bench"):
        exchange_files.fastchat(folder / place)
    copyfile(folder / "mt_bench" / "question.jsonl", folder / "question.jsonl")
    exchange_files.arena_hard(folder / "data" / "arena-hard-v2.0")
    exchange_files.label_studio(folder)
    result_files.subjective(folder / "subjective")
    for place in ("opencompass", "outputs/default"):
        result_files.write(folder / place, of_two_models(result_files.OPENCOMPASS))
    for place in ("evalscope", "outputs/20260101_120000"):
        result_files.write(folder / place, of_two_models(result_files.EVALSCOPE))
    result_files.write(folder / "lm-eval", of_two_models(result_files.LM_EVAL))
    exchange_files.listed(
        folder / "outputs.json",
        [{"instruction": text, "output": "x"} for text in exchange_files.ASKED],
    )
    (folder / "README.md").write_text("<!-- arena:begin -->\n<!-- arena:end -->\n")


def of_two_models(files: dict[str, Any]) -> dict[str, Any]:
    """The files of `m`, and of `n`, which is right where `m` is wrong."""
    marks = {"true": "false", "false": "true", "1.0": "0.0", "0.0": "1.0"}
    text = re.sub(r"(?<![\d.])(true|false|1\.0|0\.0)\b", lambda x: marks[x[0]], json.dumps(files))
    other: dict[str, Any] = json.loads(text.replace("m/", "n/").replace('/m"', '/n"'))
    return files | other


def battles(folder: Path) -> None:
    """Votes of strangers, in which who is named first wins mostly."""
    with (folder / "battles.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "model_a", "model_b", "winner", "voter"])
        for k, (one, other) in enumerate([*combinations(BOTS, 2)] * 12):
            winner = ("model_a", "model_b", "model_a", "tie")[k % 4]
            out.writerow([f"p{k % 30}", one, other, winner, f"v{k % 7}"])
    copyfile(folder / "battles.csv", folder / "arena-battles.csv")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serve(reply, models=("m", "Qwen/Qwen3-8B")) as served:
        yield served


def reply(body: dict[str, Any]) -> str:
    """As a judge it prefers the longer answer, and gives every answer a seven."""
    text = body["messages"][-1]["content"]
    lengths = {"a": 0, "b": 0}
    for _, slot, _, said in re.findall(ANSWER, text, re.DOTALL):
        lengths[slot] += len(said)
    if not lengths["b"]:
        return "It is good. [[7]]"
    return "[[A]]" if lengths["a"] > lengths["b"] else "[[B]]"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, server: Served) -> Path:
    """What every page begins with: an arena that has run."""
    folder = tmp_path_factory.mktemp("docs")
    questions(folder)
    judges(folder, server.url)
    battles(folder)
    (folder / "arena.yaml").write_text(yaml.safe_dump(CONFIG))
    files_of_other_tools(folder)
    with inside(folder):
        run("arena run")
        run("arena import battles battles.csv --set votes")
        run("arena backup last-release.db")
    return folder


@contextmanager
def inside(folder: Path) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("HOME", str(folder))
        yield patched


# What happened to the reader before a command.
Before = Callable[[Path], object]


def nothing(home: Path) -> None:
    """A new database, and no settings."""
    for file in Path().glob("arena.db*"):
        file.unlink()
    Path("arena.yaml").unlink(missing_ok=True)


def all_of_it(home: Path) -> None:
    nothing(home)
    copyfile(home / "arena.yaml", "arena.yaml")
    copyfile(home / "last-release.db", "arena.db")


def no_card(home: Path) -> None:
    Path("judges", "mine.yaml").unlink()


def conversations(home: Path) -> None:
    nothing(home)
    run(f"arena import {exchange_files.chatbot_arena(Path('votes'))}")


def styled(home: Path) -> None:
    """Battles of answers of any length and form, won by anybody."""
    nothing(home)
    dice = Random(1)

    def answer() -> str:
        words = " ".join(["word"] * dice.randint(3, 40))
        return (
            dice.choice(["", "# A title\n"])
            + dice.choice(["", "- one\n- two\n"])
            + (f"{dice.choice(['', '**bold** '])}{words}")
        )

    exchange_files.lines(
        Path("styled.jsonl"),
        [
            {"prompt": f"p{k}", "question": f"Say {k}.", "model_a": one, "model_b": other,
             "answer_a": answer(), "answer_b": answer(), "voter": f"v{k % 9}",
             "winner": dice.choice(["model_a", "model_b"])}
            for k, (one, other) in enumerate([*combinations(BOTS, 2)] * 20)
        ],
    )  # fmt: skip
    run("arena import styled.jsonl")


def arena_hard_again(home: Path) -> None:
    nothing(home)
    run("arena import data/arena-hard-v2.0")
    copyfile("data/arena-hard-v2.0/question.jsonl", "question.jsonl")


def opencompass_again(home: Path) -> None:
    nothing(home)
    run("arena import outputs/default")


def last_week(home: Path) -> None:
    copytree("site", "site-last-week")


def results_that_differ(home: Path) -> None:
    """The fakes get the same items right, and arena.yaml names the benchmarks that count."""
    run("arena import opencompass opencompass")
    lines = Path("arena.yaml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("benchmarks:", "  - {task"))]
    few = "\n".join(kept).replace("min_comparisons: 3", "min_comparisons: 1")
    Path("arena.yaml").write_text(few)


def other_judges(home: Path) -> None:
    run("arena judge --judge a,b")


def its_configuration(home: Path) -> None:
    """The tutorial's own arena.yaml, with fakes in place of the embedded model."""
    nothing(home)
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    (whole,) = re.findall(r"```yaml\n(title: .*?)```", text, re.DOTALL)
    Path("arena.yaml").write_text(whole.replace("use: smollm2", "use: fake:echo"))
    run("arena run")


def moved_away(home: Path) -> None:
    for file in Path().glob("arena.db*"):
        file.rename(f"old-{file.name}")


def parts_of_a_job(home: Path) -> None:
    nothing(home)
    copyfile(home / "arena.yaml", "arena.yaml")
    for part in range(1, 9):
        run(f"arena generate --shard {part}/8 --db part-{part}.db")
        run(f"arena judge --judge gate --shard {part}/8 --db part-{part}.db")


def results_of_alpaca_eval(home: Path) -> None:
    nothing(home)
    place = exchange_files.alpacaeval(Path("results", "my-model"))
    for file in place.rglob("*.json"):
        file.write_text(file.read_text().replace("vicuna-13b", "gpt4_1106_preview"))


def results_of_lm_eval(home: Path) -> None:
    nothing(home)
    rmtree("results")
    result_files.write(Path("results"), of_two_models(result_files.LM_EVAL))


# By page and command, as the page has it.
BEFORE: dict[str, dict[str, Before]] = {
    "README.md": {
        "arena init": nothing,
        "arena generate --model hf:Qwen/Qwen3-0.6B --prompts core --limit 20": all_of_it,
        "arena restore FILE": moved_away,
    },
    "docs/coming-from.md": {
        "arena import data/mt_bench": nothing,
        "arena import results/my-model": results_of_alpaca_eval,
        "arena rank --style length": styled,
        "arena import data/arena-hard-v2.0": nothing,
        "arena generate --prompts question.jsonl": all_of_it,
        "arena judge --judge NAME --baseline MODEL --prompts question.jsonl": arena_hard_again,
        "arena rank --style length,headers,lists,bold": styled,
        "arena import outputs/default": nothing,
        "arena run": all_of_it,
        "arena rank --by benchmark --format csv": opencompass_again,
        "arena import outputs/20260101_120000": nothing,
        "arena bench --models M --tasks gsm8k": all_of_it,
        "arena import results": results_of_lm_eval,
        "arena compare A B": all_of_it,
    },
    "docs/formats.md": {
        "arena export chatbot-arena votes.parquet": conversations,
        "arena generate --prompts FILE": all_of_it,
    },
    "docs/judging.md": {"arena judges copy internlm2-20b mine": no_card},
    "docs/publishing.md": {"arena diff site-last-week site": last_week},
    "docs/production.md": {"arena restore backups/monday.db": moved_away},
    "docs/scale.md": {
        f"arena merge {' '.join(f'part-{k}.db' for k in range(1, 9))}": parts_of_a_job,
    },
    "docs/tutorial.md": {
        "arena init": nothing,
        "arena run": its_configuration,
        "arena bench --tasks core": its_configuration,
        "arena rank --evidence objective --by benchmark": results_that_differ,
        "arena rank --judges a,b": other_judges,
    },
}


def run_as_typed(line: str, patched: pytest.MonkeyPatch) -> None:
    """As a reader types it; what asks a terminal or never ends runs as a process of its own."""
    name, _, value = line.removeprefix("export ").partition("=")
    if line.startswith("export "):
        patched.setenv(name, value.replace("…", "correct horse battery"))
    elif line.startswith("arena app"):
        serves(line)
    elif line == "arena --install-completion":
        subprocess.run(["bash", "-c", f"{ARENA} --install-completion; exit $?"], check=True)
    else:
        run(line, ENDS.get(" ".join(line.split()[:2]), (0,)))


ARENA = shlex.join([sys.executable, "-m", "arena"])


@cache
def serves(line: str) -> None:
    """The app opens a page, and stops when it is told to; on several pages it starts once."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [port if word == "7860" else word for word in shlex.split(line)[1:]]
    with subprocess.Popen(
        [*shlex.split(ARENA), *words], env=os.environ | {"ARENA_PORT": port}
    ) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}/health"):
                assert process.poll() is None, line
                time.sleep(0.2)
        finally:
            process.terminate()
    assert process.returncode in (0, -SIGTERM), line


def answers(url: str) -> bool:
    try:
        urlopen(url).close()
    except HTTPError:
        return True  # it asks for a password
    except URLError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(lines(page))])
def test_every_command_of_a_page_runs(
    page: str, home: Path, server: Served, tmp_path: Path
) -> None:
    before = dict(BEFORE.get(page, {}))
    with inside(copytree(home, tmp_path / "here")) as patched:
        for line in lines(page):
            if line in before:
                before.pop(line)(home)
            if not line.startswith(tuple(NOT_HERE)):
                run_as_typed(meant(line, server.url), patched)
    assert not before


@pytest.mark.parametrize("page", TRANSLATED)
def test_a_translation_has_the_same_commands(page: str) -> None:
    text = "\n".join(lines(page.replace(".md", ".zh-CN.md")))
    for word, english in PLACEHOLDERS.items():
        text = text.replace(word, english)
    assert set(text.split("\n")) <= set(lines(page))


def test_what_is_told_of_commands_is_of_commands_that_are_there() -> None:
    every = [line for page in PAGES for line in lines(page)]
    for start in (*NOT_HERE, *MEANT):
        assert any(line.startswith(start) for line in every), start
