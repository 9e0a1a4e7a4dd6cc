"""Options that belong together: declared once, as a dataclass that a command takes whole."""

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

R = TypeVar("R")


def bundled(command: Callable[..., R]) -> Callable[..., R]:
    """A command for Typer, in which each argument that is a dataclass stands for its fields.

    command: its bundles are annotated with a dataclass, whose fields are annotated as Typer's
        options are, and each have a default. Its `heading` stands over them in the help.
    """
    signature = inspect.signature(command, eval_str=True)
    shown: list[inspect.Parameter] = []
    bundles: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if is_dataclass(parameter.annotation):
            bundles[name] = parameter.annotation
            shown += _options(parameter.annotation)
        else:
            shown.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def call(**given: Any) -> R:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            for name, kind in bundles.items()
        }
        return command(**made, **given)

    del call.__wrapped__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    call.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    return call


def _options(bundle: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as parameters of a function."""
    hints = get_type_hints(bundle, include_extras=True)
    found = []
    for field in fields(bundle):
        assert field.default is not MISSING, f"{bundle.__name__}.{field.name} has no default"
        kind, *options = get_args(hints[field.name])
        options = [copy(option) for option in options]  # other commands have them elsewhere
        for option in options:
            option.rich_help_panel = bundle.heading
        annotation = Annotated.__class_getitem__((kind, *options))  # type: ignore[attr-defined]
        found.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=annotation,
            )
        )
    return found
