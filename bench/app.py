"""The app under load, over real HTTP through Gradio's queue, on 127.0.0.1 and nowhere else.

    python -m bench.app                  # 200 voters, 20,000 votes, then the board of a large store
    python -m bench.app --votes 2000 --skip-board
    python -m bench.app --busy 2         # beside so many other processes that never rest
    python -m bench.app --kill           # SIGKILL half-way, and what was acknowledged is there
    python -m bench.app --cold           # each page in a browser that has nothing of it yet

With --json the last line is one object. Every run ends by itself.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from arena.config import parse_model
from arena.records import Answer, Prompt, Vote, Winner
from arena.store import Store
from arena.web.app import PAGES
from arena.web.views.board_table import SHOWN
from bench.voters import Server, Tally, Voter, battle_of

MODELS, PROMPTS = 20, 200
LARGE_MODELS, LARGE_PROMPTS, LARGE_VOTES = 200, 100, 1_000_000
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WARM = 0.1


async def take_part(voter: Voter, tally: Tally, votes: int, pause: float, warm: int) -> None:
    """Vote, look at the next pair, think, and so on until all voters together have done enough."""
    token = await voter.first_pair()
    await asyncio.sleep(voter.dice.random() * pause)
    while tally.begun < votes:
        tally.begun += 1
        number, started = tally.begun, time.perf_counter()
        token = await voter.vote(token, tally)
        tally.ended = voter.answered
        if number > warm:
            tally.seconds.append(voter.answered - started)
        if not token:
            return
        took = time.perf_counter() - started
        await asyncio.sleep(max(0.0, voter.dice.expovariate(1 / pause) - took))


async def load(server: Server, voters: int, votes: int, rate: float) -> dict[str, Any]:
    """All voters at once, `rate` votes a second together."""
    await server.ready()
    tally = Tally()
    people = [Voter(server, k) for k in range(voters)]
    for person in people:
        await person.__aenter__()
        await person.open()
    warm = int(votes * WARM)
    memory = asyncio.create_task(_memory_over(server, tally, votes))
    started = time.perf_counter()
    await asyncio.gather(*(take_part(p, tally, votes, voters / rate, warm) for p in people))
    seconds = tally.ended - started
    for person in people:
        await person.__aexit__()
    store = Store(server.db, create=False)
    stored = [vote.battle for vote in store.votes.where()]
    return {
        "votes": len(stored),
        "seconds": round(seconds, 1),
        "votes_per_second": round(len(tally.acknowledged) / seconds, 1),
        "p50_ms": round(1000 * statistics.median(tally.seconds)),
        "p95_ms": round(1000 * statistics.quantiles(tally.seconds, n=20)[-1]),
        "lost": len(set(tally.acknowledged) - set(stored)),
        "twice": sum(n - 1 for n in Counter(stored).values())
        + len(tally.acknowledged)
        - len(set(tally.acknowledged)),
        "refused": dict(tally.refused),
        "chain_broken": len(list(store.votes.broken())),
        "memory_mb": (resident := await memory),
        "memory_growth_mb": resident[-1] - resident[0],
    }


async def _memory_over(server: Server, tally: Tally, votes: int) -> list[int]:
    """Megabytes after each tenth of the votes."""
    found = []
    for tenth in range(1, 11):
        while tally.begun < votes * tenth // 10:
            await asyncio.sleep(0.2)
        found.append(round(server.memory()))
    return found


async def kill(server: Server, voters: int, votes: int, rate: float) -> dict[str, Any]:
    """SIGKILL half-way; then each voter votes on what was shown before it."""
    await server.ready()
    tally = Tally()
    people = [Voter(server, k) for k in range(voters)]
    shown: dict[int, str] = {}

    async def until_killed(person: Voter) -> None:
        shown[person.number] = token = await person.first_pair()
        try:
            while True:
                await asyncio.sleep(person.dice.expovariate(rate / voters))
                shown[person.number] = token = await person.vote(token, tally)
        except (TimeoutError, aiohttp.ClientError, RuntimeError, ConnectionError):
            return

    async def killer() -> None:
        while len(tally.acknowledged) < votes // 2:
            await asyncio.sleep(0.01)
        server.stop(signal.SIGKILL)

    for person in people:
        await person.__aenter__()
        await person.open()
    await asyncio.gather(killer(), *(until_killed(person) for person in people))
    before = list(tally.acknowledged)
    server.start()
    await server.ready()
    after = Tally()
    for person in people:
        if token := shown.get(person.number):
            await person.vote(token, after)
            await person.vote(token, after)
    for person in people:
        await person.__aexit__()
    store = Store(server.db, create=False)
    stored = Counter(vote.battle for vote in store.votes.where())
    return {
        "acknowledged_before_kill": len(before),
        "lost": len(set(before + after.acknowledged) - set(stored)),
        "twice": sum(n - 1 for n in stored.values()),
        "in_flight": len(shown),
        "in_flight_voted": sum(battle_of(token) in stored for token in shown.values()),
        "chain_broken": len(list(store.votes.broken())),
    }


async def board(server: Server, loads: int = 20) -> dict[str, Any]:
    """How long the leaderboard takes to load, first and then, while votes come in."""
    started = time.perf_counter()
    await server.ready()
    up = time.perf_counter() - started
    times: list[float] = []
    waited = time.perf_counter()
    async with Voter(server, 0) as reader, Voter(server, 1) as voter:
        await voter.open()
        while True:
            seconds, rows = await load_board(reader)
            if rows:
                break
            await asyncio.sleep(0.5)
        first = time.perf_counter() - waited
        tally = Tally()
        token = await voter.first_pair()
        before = server.memory()
        for _ in range(loads):
            token = await voter.vote(token, tally)
            seconds, rows = await load_board(reader)
            times.append(seconds)
        return {
            "board_models": rows,
            "board_app_up_s": round(up, 1),
            "board_first_there_s": round(first, 1),
            "board_p95_ms": round(1000 * statistics.quantiles(times, n=20)[-1]),
            "board_median_ms": round(1000 * statistics.median(times)),
            "board_votes_cast": len(tally.acknowledged),
            "board_memory_mb": round(server.memory()),
            "board_memory_growth_mb": round(server.memory() - before, 1),
        }


async def load_board(reader: Voter) -> tuple[float, int]:
    """Seconds from asking for the page to its table, and the models in it."""
    started = time.perf_counter()
    await reader.open("/leaderboard")
    found = await reader.call(("page", "load"), [list(SHOWN)])
    text = next((v for v in found if isinstance(v, str) and "<" in v), "")
    return time.perf_counter() - started, text.count('scope="row"')


def cold(folder: Path) -> dict[str, Any]:
    """Seconds until each page shows something, in a new browser context, the first with a pair."""
    from playwright.sync_api import sync_playwright

    started = time.perf_counter()
    server = Server(folder / "new.db")
    try:
        asyncio.run(server.ready())
        result = {"start_s": round(time.perf_counter() - started, 2)}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM)
            for path in PAGES:
                page = browser.new_context().new_page()
                started = time.perf_counter()
                page.goto(f"{server.url}/{path}", wait_until="commit")
                seen = page.locator("#answer-a:visible, .lead:visible, #board:visible")
                seen.filter(has_text=re.compile(r"\w")).first.wait_for()
                result[f"cold_{path or 'vote'}_s"] = round(time.perf_counter() - started, 2)
                page.context.close()
        return result
    finally:
        server.stop(signal.SIGKILL)


def fill(db: Path, models: int, prompts: int, votes: int = 0) -> None:
    """Fake models that answered the same prompts, and votes by how good each is."""
    store = Store(db)
    names = [f"model-{k:03d}" for k in range(models)]
    asked = [Prompt(f"p{k}", (f"Question number {k}?",), "bench", "en") for k in range(prompts)]
    store.put_prompts(asked)
    answers: dict[tuple[int, int], str] = {}
    for m, name in enumerate(names):
        model = parse_model(f"{name}=fake:echo")
        store.put_model(model)
        said = f"A sentence that answers. {'And one more. ' * (m % 7)}"
        rows = [Answer(name, model.key, p.key, (said,), ("stop",)) for p in asked]
        store.answers.add(rows)
        answers |= {(m, k): row.key for k, row in enumerate(rows)}
    dice = random.Random(1)
    keys = [prompt.key for prompt in asked]
    for start in range(0, votes, 100_000):
        store.votes.cast_all(
            _vote(dice, keys, answers, models, start + k)
            for k in range(min(100_000, votes - start))
        )
    store.close()


def _vote(
    dice: random.Random, keys: list[str], answers: dict[tuple[int, int], str], models: int, k: int
) -> Vote:
    a, b = dice.sample(range(models), 2)
    p = dice.randrange(len(keys))
    better = dice.random() < 1 / (1 + 10 ** ((b - a) * 600 / models / 400))
    winner = Winner.TIE if dice.random() < 0.2 else Winner.MODEL_A if better else Winner.MODEL_B
    voter = f"voter-{k % 5000}"
    return Vote(f"b{k}", keys[p], answers[a, p], answers[b, p], winner, voter, "en", 0.01, 5.0, "1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voters", type=int, default=200)
    parser.add_argument("--votes", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=55.0, help="votes a second that are tried")
    parser.add_argument("--large-votes", type=int, default=LARGE_VOTES)
    parser.add_argument("--busy", type=int, default=0, help="other processes that never rest")
    parser.add_argument("--skip-board", action="store_true")
    parser.add_argument("--board", action="store_true", help="the board of a large store alone")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--cold", action="store_true", help="the opening of pages alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, others(options.busy):
        if options.cold:
            result |= cold(Path(folder))
        elif not options.board:
            db = Path(folder, "load.db")
            fill(db, MODELS, PROMPTS)
            work = kill if options.kill else load
            result |= _with_server(db, work, options.voters, options.votes, options.rate)
        if options.board or not (options.skip_board or options.kill or options.cold):
            db = Path(folder, "large.db")
            fill(db, LARGE_MODELS, LARGE_PROMPTS, options.large_votes)
            result |= _with_server(db, board)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:26} {value}")


@contextmanager
def others(count: int) -> Iterator[None]:
    """So many other processes, each of which takes all of a core that it is given."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def _with_server(db: Path, work: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    server = Server(db)
    try:
        found: dict[str, Any] = asyncio.run(work(server, *arguments))
        return found
    finally:
        server.stop(signal.SIGKILL)


if __name__ == "__main__":
    main()
