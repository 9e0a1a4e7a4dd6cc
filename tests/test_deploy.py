"""What `deploy/` says fits the package: commands, options, variables, folders and addresses."""

import re
import shlex
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from arena.cli.main import app
from arena.config import Config

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


def instructions(word: str) -> list[str]:
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{word} (.*)$", text, re.MULTILINE)


def test_the_image_starts_a_command_that_is_there() -> None:
    (entry,), (words,) = instructions("ENTRYPOINT"), instructions("CMD")
    assert yaml.safe_load(entry) == ["arena"]
    command = typer.main.get_command(app).commands[yaml.safe_load(words)[0]]  # type: ignore[attr-defined]
    known = {one.envvar for one in command.params}
    (variables,) = (line for line in instructions("ENV") if "ARENA" in line)
    named = dict(part.split("=") for part in shlex.split(variables))
    assert set(named) <= known
    (exposed,) = instructions("EXPOSE")
    assert named["ARENA_PORT"] == exposed


def test_what_is_copied_into_the_image_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for needed in ("arena", "judges", "prompts", "data", "pyproject.toml", "constraints.txt"):
        assert (ROOT / needed).exists()
        assert needed not in ignored
    assert {"*.db*", ".git"} <= set(ignored)


def test_services_share_what_they_name(compose: dict[str, Any]) -> None:
    (volumes,) = instructions("VOLUME")
    inside = yaml.safe_load(volumes)
    for name, service in compose["services"].items():
        assert set(service.get("depends_on", {})) < set(compose["services"]), name
        for mount in service.get("volumes", []):
            source, target = mount.split(":")[:2]
            if source.startswith("."):
                assert (DEPLOY / source).is_file()
            else:
                assert source in compose["volumes"]
                assert target in inside
    assert (DEPLOY / compose["services"]["app"]["build"]["context"]).resolve() == ROOT


def test_backups_are_made_by_a_command_that_is_there(compose: dict[str, Any]) -> None:
    (script,) = compose["services"]["backup"]["command"]
    (line,) = re.findall(r"arena (\w+) ", script)
    assert line in typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_the_proxy_is_trusted_and_asks_the_app(compose: dict[str, Any]) -> None:
    (network,) = compose["networks"]["inside"]["ipam"]["config"]
    for page in (DEPLOY / "compose.yaml", ROOT / "docs" / "production.md"):
        (told,) = re.findall(r"(app: \{trusted_proxies: .*?\})", page.read_text("utf-8"))
        config = Config.model_validate(yaml.safe_load(told))
        assert [*map(ip_network, config.app.trusted_proxies)] == [ip_network(network["subnet"])]
    (port,) = instructions("EXPOSE")
    assert f"server app:{port};" in (DEPLOY / "nginx.conf").read_text()


def test_nginx_is_told_what_the_docs_say() -> None:
    """The headers without which votes are refused, or visitors are all one."""
    said = [
        line.partition("#")[0].strip() for line in (ROOT / "docs/app.md").read_text().split("\n")
    ]
    own = (DEPLOY / "nginx.conf").read_text()
    for line in said:
        if re.match(r"proxy_(set_header|http_version|buffering) ", line):
            assert line in own
