"""The app: people vote on blind pairs, and everybody reads the ranking."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.config import AppSettings, Config
    from arena.records import Model


def launch(
    db: Path,
    host: str,
    port: int,
    *,
    models: "Mapping[str, Model] | None" = None,
    settings: "AppSettings | None" = None,
    auth: tuple[str, str] | None = None,
    config: "Config | None" = None,
) -> None:
    """Serve the app until it is stopped; a database that does not exist gets the sample.

    models: that may answer live. auth: name and password without which nobody sees any page.
    config: of arena.yaml, which says how to rank and what the arena is called.
    """
    from arena.web.server import serve

    serve(db, host, port, models=models, settings=settings, auth=auth, config=config)
