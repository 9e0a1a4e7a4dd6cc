"""Judge calls a second against a server of fixed latency and slots, beside a thread pool.

    python -m bench.judging [--calls 5000] [--json]

Ours is the whole of `arena judge`: prompts rendered, verdicts parsed and committed to SQLite.
The thread pool is the shape of client that arena-hard-auto has: as many threads as slots, a
synchronous client, a JSON line appended for every reply. Both ask the same texts of the same
server, which runs in a process of its own on the same cores.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from arena.config import parse_model
from arena.generation.answering import generate
from arena.generation.batch import Control
from arena.judging import load_card, plan
from arena.judging.judge import Plan
from arena.records import Decoding, Prompt
from arena.store import Store

LATENCY, SLOTS = 0.2, 64
WORDS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server() as url:
        planned = work(Path(folder), url, options.calls)
        import openai  # a second of importing is no call

        assert openai
        with memory() as grown:
            started = time.perf_counter()
            progress = planned.ask(Control())
            ours = progress.stored / (time.perf_counter() - started)
        assert progress.stored == options.calls, progress
        texts = [task.text for task in planned.tasks]
        threads = thread_pool(texts, url, Path(folder) / "replies.jsonl")
    found = {
        "ours_per_second": round(ours, 1),
        "thread_pool_per_second": round(threads, 1),
        "server_limit_per_second": SLOTS / LATENCY,
        "memory_growth_mb": round(grown[0], 1),
    }
    if not options.json:
        print("| what | value |\n|---|---|")
        for name, value in found.items():
            print(f"| {name.replace('_', ' ')} | {value} |")
    else:
        print(json.dumps(found))


def work(folder: Path, url: str, calls: int) -> Plan:
    """A judge with so many verdicts to give, on answers of some hundred words."""
    store = Store(folder / "arena.db")
    filler = " ".join(f"word{i % 97}" for i in range(WORDS))
    prompts = [Prompt(f"p{i}", (f"Question {i}: {filler}",)) for i in range(calls // 2)]
    for name, length in (("a", WORDS), ("b", WORDS // 2)):
        model = replace(parse_model("fake:echo"), name=name, decoding=Decoding(max_tokens=length))
        generate(store, model, prompts)
    judges = folder / "judges"
    judges.mkdir()
    (judges / "bench.md").write_text("{{ question }}\n{{ answer_a }}\n{{ answer_b }}\nBetter?")
    (judges / "bench.yaml").write_text(
        f"model: {{use: 'openai:m', base_url: '{url}', max_tokens: 64}}\n"
        "pairwise: {template: bench.md}\n"
    )
    return plan(store, load_card("bench", folder), prompts)


def thread_pool(texts: Sequence[str], url: str, path: Path) -> float:
    """Replies a second of a pool of threads with the synchronous client."""
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="none")

    def ask(text: str) -> str:
        completion = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": text}],
            temperature=0,
            max_tokens=64,
        )
        line = {"prompt": text, "judgment": completion.choices[0].message.content}
        with path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        return text

    started = time.perf_counter()
    with ThreadPoolExecutor(SLOTS) as pool:
        for future in as_completed([pool.submit(ask, text) for text in texts]):
            future.result()
    return len(texts) / (time.perf_counter() - started)


@contextmanager
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.servers", str(port), str(LATENCY), str(SLOTS)]
    process = subprocess.Popen(command)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def memory() -> Iterator[list[float]]:
    """The most that this process's resident memory grows by within the block, in megabytes."""
    start, most, ended = resident(), [0.0], threading.Event()

    def sample() -> None:
        while not ended.wait(0.05):
            most[0] = max(most[0], resident() - start)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
