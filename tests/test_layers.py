"""A layer imports only lower ones; what is heavy is imported late; importing does nothing."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ARENA = Path(__file__).resolve().parents[1] / "arena"
LAYERS = (
    ("records",),
    ("files",),
    ("config",),
    ("store", "backends", "ratings"),
    ("generation",),
    ("judging",),
    ("benchmarks",),
    ("leaderboard",),
    ("compare",),
    ("interchange",),
    ("publish",),
    ("web",),
    ("pipeline",),
    ("testing",),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OWNERS = {
    "torch": "backends/local",
    "transformers": "backends/local",
    "accelerate": "backends/local",
    "peft": "backends/local",
    "openai": "backends/openai/",
    "vllm": "backends/vllm/",
    "ray": "backends/cluster/",
    "lm_eval": "benchmarks",
    "gradio": "web",
    "typer": "cli",
    "sqlite_utils": "store",
    "sqlite3": "store",
    "pysqlite3": "store",
    "jinja2": "",
}
MODULES = sorted(ARENA.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.append(node.module or "")
    return names


def test_every_module_has_a_layer() -> None:
    found = {path.relative_to(ARENA).parts[0].removesuffix(".py") for path in MODULES}
    assert found - {"__init__"} == set(LEVEL)


def test_imports_point_downwards() -> None:
    for path in MODULES:
        own = path.relative_to(ARENA).parts[0].removesuffix(".py")
        for name in imports(path) if own != "__init__" else ():
            package, _, inner = name.partition(".")
            other = inner.split(".")[0]
            if package == "arena" and other:
                assert other == own or LEVEL[other] < LEVEL[own], f"{path} imports {name}"


def module_of(path: Path) -> str:
    """The dotted name of a module's file."""
    return ".".join(path.relative_to(ARENA.parent).with_suffix("").parts).removesuffix(".__init__")


def test_no_import_goes_round() -> None:
    """Not inside a package either, nor by an import inside a function."""
    of_name = {module_of(path): path for path in MODULES}
    order: list[str] = []
    entered: list[str] = []

    def enter(name: str) -> None:
        assert name not in entered, " → ".join([*entered[entered.index(name) :], name])
        if name in order:
            return
        entered.append(name)
        for other in imported_modules(of_name[name]):
            if other in of_name and other != name:
                enter(other)
        entered.pop()
        order.append(name)

    for name in of_name:
        enter(name)


def imported_modules(path: Path) -> list[str]:
    """The modules that it imports; what is imported from a package may be one of its modules."""
    names = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            folder = ARENA.parent / node.module.replace(".", "/")
            for alias in node.names:
                inside = (folder / f"{alias.name}.py").exists() or (folder / alias.name).is_dir()
                names.append(f"{node.module}.{alias.name}" if inside else node.module)
    return names


def test_architecture_shows_every_module() -> None:
    """In the tree, whose rooms stand in the order of the layers."""
    tree = (ARENA.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[3]
    at_a_glance = {"cli", "records", "tabular"}  # one line each: their files say what they hold
    told = [path for path in MODULES if not at_a_glance & {*path.relative_to(ARENA).parts}]
    stems = {path.stem for path in told if "__" not in path.stem}
    assert stems - set(re.findall(r"\w+", tree)) == set()
    assert set(re.findall(r"(\w+)\.py", tree)) - {path.stem for path in MODULES} == set()
    rooms = re.findall(r"^  (\w+)(?:/|\.py)", tree, re.MULTILINE)
    assert [LEVEL[name] for name in rooms] == sorted(LEVEL[name] for name in rooms)
    assert set(rooms) == set(LEVEL) - {"__main__"}


def test_a_page_imports_no_page() -> None:
    for path in (ARENA / "web" / "pages").glob("*.py"):
        assert not [name for name in imports(path) if name.startswith("arena.web.pages")], path


def test_a_class_name_is_used_once() -> None:
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module_of(path))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_functions_are_short() -> None:
    """None has more than 60 lines but lists: of options in cli/, and of tables in the schema."""
    long = {}
    for path in MODULES:
        if "cli" in path.relative_to(ARENA).parts or path.parent.name == "schema":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                lines = node.end_lineno - node.lineno + 1
                if lines > 60:
                    long[f"{module_of(path)}.{node.name}"] = lines
    assert long == {}


def test_functions_take_few_arguments() -> None:
    """At most 8 outside cli/, where they are options; what belongs together is a dataclass."""
    many = {}
    for path in MODULES:
        if "cli" in path.relative_to(ARENA).parts:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                names = {argument.arg for argument in given} - {"self", "cls"}
                count = len(names) + bool(node.args.vararg) + bool(node.args.kwarg)
                if count > 8:
                    many[f"{module_of(path)}.{node.name}"] = count
    assert many == {}


def test_rooms_are_small() -> None:
    asked_for = {"__init__.py", "__main__.py", "py.typed", "__pycache__", "_assets"}
    assert len({path.name for path in ARENA.iterdir()} - asked_for) <= 17
    for folder in {path.parent for path in ARENA.rglob("*.*")}:
        if folder.name != "__pycache__":
            assert len([path for path in folder.iterdir() if path.is_file()]) <= 15, folder


def test_a_library_is_imported_by_its_owner_alone() -> None:
    for path in MODULES:
        place = str(path.relative_to(ARENA))
        for name in imports(path):
            owner = OWNERS.get(name.split(".")[0], "")
            assert place.startswith(owner), f"{place} imports {name}, which belongs to {owner}"


def test_ratings_need_numpy_and_scipy_alone() -> None:
    """And threadpoolctl, which keeps the threads of both to one."""
    allowed = {"numpy", "scipy", "threadpoolctl", "arena", *sys.stdlib_module_names}
    for path in (ARENA / "ratings").rglob("*.py"):
        for name in imports(path):
            assert name.split(".")[0] in allowed, f"{path} imports {name}"
            if name.startswith("arena."):
                assert name.split(".")[1] in ("ratings", "records"), f"{path}: {name}"


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import arena.cli.main", "import arena.web", "import arena.pipeline"]
)
def test_importing_brings_no_heavy_library(statement: str) -> None:
    heavy = {"torch", "transformers", "gradio", "lm_eval", "openai", "ray"}
    assert not loaded_after(statement) & heavy


def test_help_needs_neither_numpy_nor_the_store() -> None:
    assert not loaded_after("import arena.cli.main") & {"numpy", "pandas", "sqlite_utils"}


def test_a_file_is_ranked_without_what_it_does_not_need(tmp_path: Path) -> None:
    """Neither a database nor a judge, and nothing that takes a second to import."""
    rows = ["model_a,model_b,winner", *["x,y,model_a", "y,x,model_a", "x,y,tie"] * 3]
    path = tmp_path / "battles.csv"
    path.write_text("\n".join(rows) + "\n")
    loaded = loaded_after(
        f"sys.argv = ['arena', 'rank', {str(path)!r}]\nfrom arena.cli.main import app\n"
        "app(standalone_mode=False)"
    )
    assert "numpy" in loaded
    heavy = {"pandas", "scipy.stats", "scipy.optimize", "sqlite_utils", "jinja2", "plotly"}
    assert not loaded & heavy
    assert not loaded & {"arena.store.store", "arena.judging.judge", "arena.benchmarks.runs"}


def test_a_database_is_ranked_without_what_it_does_not_need(tmp_path: Path) -> None:
    """sqlite-utils imports pandas where it is installed, which takes half a second."""
    rows = ["model_a,model_b,winner,voter", *["x,y,model_a,v", "y,x,model_a,v", "x,y,tie,w"] * 3]
    (tmp_path / "battles.csv").write_text("\n".join(rows) + "\n")
    db = str(tmp_path / "arena.db")
    filled = (
        "from pathlib import Path\nfrom arena.store import Store\n"
        "from arena.interchange.imports import import_battles\n"
        f"import_battles(Store({db!r}), Path({str(tmp_path / 'battles.csv')!r}))"
    )
    assert "pandas" not in loaded_after(filled)
    loaded = loaded_after(
        f"sys.argv = ['arena', 'rank', '--db', {db!r}]\nfrom arena.cli.main import app\n"
        "app(standalone_mode=False)"
    )
    assert "sqlite_utils" in loaded
    assert not loaded & {"torch", "gradio", "transformers", "pandas", "openai", "lm_eval", "plotly"}
