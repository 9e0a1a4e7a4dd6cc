"""The app as a process of its own, and people who use it as their browsers do."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from itsdangerous import URLSafeSerializer

ROOT = Path(__file__).resolve().parents[1]
LIMITS = """
app:
  votes_per_minute: 100000
  requests_per_minute: 10000000
  voters_per_address: 100000
"""
CHOICES = ("vote-model_a", "vote-model_b", "vote-tie", "vote-both_bad")
DOUBLE_CLICKS = 0.01


@dataclass
class Tally:
    """What the voters saw. acknowledged: keys of battles whose vote was said to be counted.

    seconds: from the click to the stored vote with the next pair. ended: when the last one was.
    """

    acknowledged: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    begun: int = 0
    ended: float = 0.0


class Server:
    """`python app.py` on a store."""

    def __init__(self, db: Path) -> None:
        self.db = db
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = db.with_name("arena.yaml")
        self.config.write_text(LIMITS)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "app.py", "--db", str(self.db), "--port", str(self.port)]
        command += ["--config", str(self.config)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with self.db.with_suffix(".log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=environment
            )

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                if self.process.poll() is not None:
                    raise SystemExit(self.db.with_suffix(".log").read_text())
                try:
                    async with session.get(f"{self.url}/health") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)

    def memory(self) -> float:
        """Resident megabytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait()


@dataclass(frozen=True)
class Page:
    """Which function of a page stands behind which control."""

    events: dict[tuple[str, str], int]
    inputs: dict[int, int]
    outputs: dict[int, int]

    @classmethod
    async def read(cls, session: aiohttp.ClientSession, url: str) -> "Page":
        async with session.get(url) as answer:
            html = await answer.text()
        found = re.search(r"window\.gradio_config\s*=\s*(\{.*?\});</script>", html, re.DOTALL)
        assert found, "the page holds no configuration"
        config = json.loads(found[1])
        names = {c["id"]: c["props"].get("elem_id") or c["type"] for c in config["components"]}
        events, inputs, outputs = {}, {}, {}
        for dependency in config["dependencies"]:
            inputs[dependency["id"]] = len(dependency["inputs"])
            outputs[dependency["id"]] = len(dependency["outputs"])
            for target, event in dependency["targets"]:
                events[names.get(target, "page"), event] = dependency["id"]
        return cls(events, inputs, outputs)


class Voter:
    """One browser: its cookie, its session, one stream of answers at a time."""

    def __init__(self, server: Server, number: int) -> None:
        self.server = server
        self.number = number
        self.dice = random.Random(number)
        self.session_hash = f"bench{number:05d}"
        self.answered = 0.0

    async def __aenter__(self) -> "Voter":
        self.session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=60),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def open(self, path: str = "/") -> None:
        self.page = await Page.read(self.session, self.server.url + path)

    async def call(self, event: tuple[str, str], data: list[Any], tab: int = 0) -> list[Any]:
        """Press something, and read what the page gets; as a page does, in one session.

        The stream is read to its end, which leaves the connection to the next call; `answered`
        is when the page had what it shows.
        """
        session = f"{self.session_hash}{tab}"
        body = {
            "data": data,
            "fn_index": self.page.events[event],
            "session_hash": session,
            "event_data": None,
        }
        base = f"{self.server.url}/gradio_api/queue"
        headers = {"Origin": self.server.url}
        async with self.session.post(f"{base}/join", json=body, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {await answer.text()}")
            await answer.read()
        found: list[Any] | None = None
        async with self.session.get(f"{base}/data", params={"session_hash": session}) as stream:
            async for line in stream.content:
                if not line.startswith(b"data: "):
                    continue
                message = json.loads(line[6:])
                if message["msg"] in ("process_completed", "process_generating"):
                    if not message["success"]:
                        raise RuntimeError(str(message["output"]))
                    found = message["output"]["data"]
                    self.answered = time.perf_counter()
        if found is not None:
            return found
        raise RuntimeError("the stream ended early")

    async def first_pair(self) -> str:
        """The token of the first pair."""
        return str((await self.call(("page", "load"), []))[0])

    async def vote(self, token: str, tally: Tally) -> str:
        """Vote once, or by a double click; returns the token of the next pair, which comes along.

        The first answer that says so acknowledges the vote.
        """
        button = (self.dice.choice(CHOICES), "click")
        clicks = 2 if self.dice.random() < DOUBLE_CLICKS else 1
        data = [token, [], "", "900"]
        said = await asyncio.gather(*(self.call(button, data, k) for k in range(clicks)))
        counted = [reply for reply in said if "is counted" in str(reply[0])]
        if len(counted) == 1:
            tally.acknowledged.append(battle_of(token))
        else:
            tally.refused[str(said[0][0])[:60] if not counted else "counted twice"] += 1
        upcoming = json.loads(str((counted or said)[0][1]) or "{}")
        return str(upcoming.get("token", ""))


def battle_of(token: str) -> str:
    """The battle in a token, without knowing the secret."""
    return str(URLSafeSerializer("-").loads_unsafe(token)[1][0])
