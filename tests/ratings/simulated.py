"""Simulated comparisons for the tests of the rating engine.

`python tests/ratings/simulated.py` writes golden.json anew, which a change of numbers needs.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from arena.ratings import Comparisons, Part, RatingResult, bradley_terry, combine, elo, overall


def simulate(
    models: int = 6, rows: int = 600, ties: float = 0.2, seed: int = 0, prompts: int = 0
) -> Comparisons:
    """Comparisons of models with log-strengths spread over (-1, 1)."""
    rng = np.random.default_rng(seed)
    theta = np.linspace(-1.0, 1.0, models)
    i = rng.integers(models, size=rows)
    j = (i + rng.integers(1, models, size=rows)) % models
    won = (rng.random(rows) < 1 / (1 + np.exp(theta[j] - theta[i]))).astype(float)
    names = np.array([f"m{k:02d}" for k in range(models)])
    return Comparisons.from_columns(
        names[i].tolist(),
        names[j].tolist(),
        outcome=np.where(rng.random(rows) < ties, 0.5, won),
        prompt=rng.integers(prompts, size=rows).tolist() if prompts else None,
    )


CASES: list[dict[str, Any]] = [
    {"rate": "bradley_terry"},
    {"rate": "bradley_terry", "cluster": None},
    {"rate": "bradley_terry", "ties": "davidson"},
    {"rate": "bradley_terry", "ties": "rao-kupper"},
    {"rate": "bradley_terry", "prior": 200.0},
    {"rate": "bradley_terry", "interval": "bootstrap", "rounds": 200},
    {"rate": "bradley_terry", "interval": "bootstrap", "rounds": 200, "cluster": None},
    {"rate": "bradley_terry", "style": ["length"]},
    {"rate": "bradley_terry", "confidence": 0.8, "anchor": ["m02", 1200.0]},
    {"rate": "elo"},
    {"rate": "elo", "permutations": 20, "k": 8.0},
    *(
        {"rate": "combine", "method": name}
        for name in ("hierarchical", "stacked", "ppi", "joint", "human")
    ),
    {"rate": "combine", "method": "hierarchical", "others": 2},
    {"rate": "combine", "method": "stacked", "others": 2},
    {"rate": "combine", "method": "judge-only"},
    {"rate": "combine", "method": "auto", "evidence": "objective"},
    {"rate": "combine", "method": "human", "evidence": "overall"},
]


def golden_case(case: dict[str, Any]) -> RatingResult:
    """The result of one golden case: a function of the engine by name, and its options."""
    options = dict(case)
    rate = options.pop("rate")
    if rate == "combine":
        return golden_combination(**options)
    c = simulate(5, 400, seed=7, prompts=40)
    if "style" in options:
        c = replace(c, style={"length": np.random.default_rng(3).normal(size=len(c))})
    return {"bradley_terry": bradley_terry, "elo": elo}[rate](c, **options)


def golden_combination(method: str, evidence: str = "", others: int = 0) -> RatingResult:
    """evidence: what there is beside or instead of votes and a judge; others: more judges."""
    human = simulate(8, 250, seed=7, prompts=120)
    judges = {"judge": simulate(8, 900, seed=8, prompts=120)}
    judges |= {f"other{k}": simulate(8, 400, seed=20 + k, prompts=120) for k in range(others)}
    exam = {"exam": simulate(8, 500, seed=9, ties=0.0, prompts=200)}
    if evidence == "objective":
        return combine(objective=exam)
    if evidence == "overall":
        parts = (
            Part(0.5, combine(human, method=method), True),
            Part(0.5, combine(objective=exam), False),
        )
        whole = overall(parts, "overall")
        assert whole is not None
        return whole
    return combine(None if method == "judge-only" else human, judges, method=method)


def bounds(r: RatingResult) -> dict[str, list[float]]:
    """Ends of the intervals, where there are any."""
    if r.ci_low is None or r.ci_high is None:
        return {}
    return {"low": np.round(r.ci_low, 8).tolist(), "high": np.round(r.ci_high, 8).tolist()}


def write_golden() -> None:
    results = {json.dumps(case): golden_case(case) for case in CASES}
    numbers = {
        name: {
            "ratings": np.round(r.ratings, 8).tolist(),
            **bounds(r),
        }
        for name, r in results.items()
    }
    path = Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
