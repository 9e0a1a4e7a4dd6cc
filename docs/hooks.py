"""Pages of the docs site that are made of the code and of the files at the root; see mkdocs.yml."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from arena.cli.main import app
from arena.config import Config
from arena.pipeline.api import Arena

ROOT = Path(__file__).resolve().parents[1]
# Files at the root that are pages of the site.
COPIED = {
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh-CN.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_IMAGE = re.compile(r"(!\[[^\]]*\]\()docs/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    made = {
        "commands.md": commands(),
        "configuration.md": configuration(),
        "python.md": python(),
        **{page: (ROOT / name).read_text("utf-8") for name, page in COPIED.items()},
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the site; what is no page of it is only named."""
    at_root = page.file.src_uri in COPIED.values()

    def led(match: re.Match[str]) -> str:
        words, path, anchor = match[1], match[2], match[3] or ""
        target = ((ROOT if at_root else ROOT / "docs") / path).resolve().relative_to(ROOT)
        name = target.as_posix()
        uri = COPIED.get(name, name.removeprefix("docs/") if name.startswith("docs/") else "")
        return f"[{words}]({uri}{anchor})" if files.get_file_from_path(uri) else words

    return _LINK.sub(led, _IMAGE.sub(r"\1", markdown) if at_root else markdown)


def commands() -> str:
    """Every command with its help and options."""
    parts = ["# Commands", "Every command has `--help`, which says the same."]
    root = typer.main.get_command(app)
    parts += ["## arena", _options(root)]
    for path, command in _below(root, "arena"):
        text = (command.help or "").replace("\b\n", "\b")
        parts.append(f"## {path}")
        parts += [_paragraph(part) for part in text.split("\n\n")]
        parts.append(_options(command))
    return "\n\n".join(filter(None, parts)) + "\n"


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            yield f"{path} {name}", command
            yield from _below(command, f"{path} {name}")


def _paragraph(text: str) -> str:
    """Running text, or a block of shell where its lines are to stay."""
    if text.startswith("\b"):
        return "```sh\n" + text.removeprefix("\b") + "\n```"
    return _plain(text)


def _options(command: Any) -> str:
    rows = []
    for one in command.params:
        names = ", ".join(f"`{name}`" for name in [*one.opts, *one.secondary_opts])
        if one.param_type_name == "argument":
            names = f"`{one.metavar or one.name.upper()}`"
        rows.append(f"| {names} | {_cell(getattr(one, 'help', '') or '')} |")
    return "\n".join(["| option | what |", "|---|---|", *rows]) if rows else ""


def configuration() -> str:
    """Every key of arena.yaml."""
    parts = [
        "# arena.yaml",
        "Every part may be left out. `arena init` writes a file with comments. A key that is not "
        "here is an error that names the nearest one.",
    ]
    for path, model in _models(Config, ""):
        parts += [f"## {path or 'At the top'}", _plain(inspect.getdoc(model) or "")]
        rows = [_key(name, field) for name, field in model.model_fields.items()]
        parts.append("\n".join(["| key | value | default |", "|---|---|---|", *rows]))
    return "\n\n".join(filter(None, parts)) + "\n"


def _models(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for inner in _inside(field.annotation):
            yield from _models(inner, f"{path}.{name}".lstrip("."))


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def _key(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    is_plain = not field.is_required() and not isinstance(default, BaseModel)
    shown = f"`{json.dumps(default)}`" if is_plain and default is not None else ""
    return f"| `{name}` | {_cell(_type(field.annotation))} | {_cell(shown)} |"


def _type(annotation: Any) -> str:
    """A type in words of YAML."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(p) for p in parts if p is not type(None)))
    if origin is list:
        return f"list of {_type(parts[0]).replace('an entry', 'entries')}"
    if origin is dict:
        return f"names, each with {_type(parts[1])}"
    if origin is not None and origin.__name__ in ("Annotated", "tuple"):
        return _type(parts[0])
    if parts:  # Literal
        return " or ".join(f"`{json.dumps(part)}`" for part in parts)
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if annotation in words:
        return words[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "an entry, see below"
    if members := getattr(annotation, "__members__", None):
        return " or ".join(f"`{member.value}`" for member in members.values())
    return "anything"


def python() -> str:
    """What `import arena` offers."""
    parts = ["# Python", _plain(inspect.getdoc(inspect.getmodule(Arena)) or "")]
    for name, method in inspect.getmembers(Arena, inspect.isfunction):
        if not name.startswith("_"):
            signature = str(inspect.signature(method))
            parts += [f"## {name}", f"```python\n{name}{signature}\n```"]
            parts.append(_plain(inspect.getdoc(method) or ""))
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is; blocks that are set in stay so."""
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
