"""`python app.py` as a process of its own, and requests to it exactly as they are written."""

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMITS = (
    "app: {votes_per_minute: 100000, generations_per_hour: 100000, requests_per_minute: 1000000}\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """What came back to one request."""

    status: int
    headers: dict[str, str]
    text: str


class App:
    """`python app.py`, on a database that need not exist yet."""

    def __init__(
        self, db: Path, *options: str, config: str = LIMITS, ready: str = "/", **environment: str
    ) -> None:
        self.db = db
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = db.with_suffix(".log")
        settings = db.with_suffix(".yaml")
        settings.write_text(config)
        command = [sys.executable, "app.py", "--db", str(db), "--port", str(self.port)]
        command += ["--config", str(settings), *options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | environment
            )
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                urllib.request.urlopen(self.url + ready).close()
                return
            except OSError:
                time.sleep(0.2)

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database holds, read beside the app."""
        conn = sqlite3.connect(self.db)
        try:
            return conn.execute(sql).fetchall()
        finally:
            conn.close()

    def votes(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT winner, language FROM votes ORDER BY id")

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> Answer:
        """One request, its path as it stands; underscores in names of headers are hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method or ("GET" if body is None else "POST"),
                path,
                body,
                {name.replace("_", "-"): value for name, value in headers.items()},
            )
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)
        finally:
            connection.close()
