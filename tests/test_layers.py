"""A layer imports only lower ones; what is heavy is imported late; importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ARENA = Path(__file__).resolve().parents[1] / "arena"
LAYERS = (
    ("records", "errors"),
    ("encodings",),
    ("strict", "tabular", "assets", "identity", "thinking"),
    ("config",),
    ("store", "backends", "ratings", "prompts"),
    ("batch", "lookup", "versions"),
    ("judging", "answering"),
    ("objective",),
    ("benchmarks",),
    ("interchange",),
    ("groups", "labelled"),
    ("votes",),
    ("evidence",),
    ("board",),
    ("overall",),
    ("leaderboard", "audits"),
    ("contrasts", "integrity", "notes", "unranked", "standing"),
    ("publish",),
    ("pipeline",),
    ("web",),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "torch": "backends/local",
    "transformers": "backends/local",
    "accelerate": "backends/local",
    "openai": "backends/openai/",
    "lm_eval": "benchmarks",
    "gradio": "web",
    "typer": "cli",
    "sqlite_utils": "store",
    "sqlite3": "store",
    "pysqlite3": "store",
    "jinja2": "",
}
MODULES = sorted(ARENA.rglob("*.py"))


def imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.append(node.module or "")
    return names


def test_every_module_has_a_layer() -> None:
    found = {path.relative_to(ARENA).parts[0].removesuffix(".py") for path in MODULES}
    assert found - {"__init__"} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ARENA)))
def test_imports_point_downwards(path: Path) -> None:
    own = path.relative_to(ARENA).parts[0].removesuffix(".py")
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "arena" or len(parts) == 1 or own == "__init__":
            continue
        other = parts[1]
        assert other == own or LEVEL[other] < LEVEL[own], f"{own} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ARENA)))
def test_a_library_is_imported_by_its_owner_alone(path: Path) -> None:
    place = str(path.relative_to(ARENA))
    for name in imports(path):
        owner = OWNERS.get(name.split(".")[0], "")
        assert place.startswith(owner), f"{place} imports {name}, which belongs to {owner}"


def test_ratings_need_numpy_and_scipy_alone() -> None:
    allowed = {"numpy", "scipy", "arena", *sys.stdlib_module_names}
    for path in (ARENA / "ratings").rglob("*.py"):
        for name in imports(path):
            assert name.split(".")[0] in allowed, f"{path} imports {name}"
            if name.startswith("arena."):
                assert name.split(".")[1] in ("ratings", "records", "errors"), f"{path}: {name}"


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import arena.cli.main", "import arena.web", "import arena.pipeline"]
)
def test_importing_brings_no_heavy_library(statement: str) -> None:
    heavy = {"torch", "transformers", "gradio", "lm_eval", "openai"}
    assert not loaded_after(statement) & heavy


def test_help_needs_neither_numpy_nor_the_store() -> None:
    assert not loaded_after("import arena.cli.main") & {"numpy", "pandas", "sqlite_utils"}
