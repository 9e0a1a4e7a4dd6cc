"""Asks the engine what a test wants to know, in the environment that has vLLM.

python ask.py FOLDER   reads one JSON object a line, and writes what the engine says of it
"""

import json
import sys
from dataclasses import asdict, replace
from typing import Any

from arena.backends import OddsRequest, Request, TextRequest, open_backend
from arena.files.config import parse_model
from arena.records import Decoding
from arena.records.errors import BackendError


def said(reply: Any) -> dict[str, Any]:
    return {"error": str(reply)} if isinstance(reply, BackendError) else asdict(reply)


def answer(weights: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    model = replace(
        parse_model(f"m=vllm:{weights}"),
        decoding=Decoding(**asked["decoding"]),
        context_length=1024,
    )
    kinds: dict[str, Any] = {"converse": Request, "odds": OddsRequest, "likelihoods": TextRequest}
    requests = [
        kinds[asked["ask"]](**{k: tuple(v) if isinstance(v, list) else v for k, v in one.items()})
        for one in asked["requests"]
    ]
    with open_backend(model) as backend:
        results = getattr(backend, asked["ask"])(requests)
        found = {i: said(reply) for result in results for i, reply in result}
    return [found[i] for i in range(len(requests))]


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr  # the engine's own notices
    for line in sys.stdin:
        out.write(json.dumps(answer(sys.argv[1], json.loads(line))) + "\n")
        out.flush()
