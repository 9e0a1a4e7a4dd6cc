"""The wheel, built and installed for real, works from another folder."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_it_holds_the_package_and_its_assets_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top.split("-")[0] for top in tops} == {"arena", "arena_llm"}
    for asset in (
        "judges/smollm2.yaml",
        "prompts/core.jsonl",
        "data/demo.yaml",
        "data/sample/answers.jsonl",
        "data/items/short_answer.jsonl",
    ):
        assert f"arena/_assets/{asset}" in names
    assert not any(name.endswith((".pyc", ".db")) for name in names)


def test_installed_elsewhere_it_lists_its_judges_from_the_root_folder(
    wheel: Path, tmp_path: Path
) -> None:
    """Its dependencies are those of this environment, seen through a .pth file."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    ours = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(ours) + "\n")
    code = "import arena; print(arena.__file__); from arena.cli import main; main()"
    done = subprocess.run(
        [python, "-c", code, "judges", "--format", "csv"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site))
    assert "internlm2-20b" in done.stdout
    assert str(site / "arena" / "_assets") in done.stdout
