"""The app: people vote on blind pairs, and everybody reads the ranking."""

from pathlib import Path


def launch(db: Path, host: str, port: int) -> None:
    """Serve the app until it is stopped; a database that does not exist gets the sample."""
    from arena.web.server import serve

    serve(db, host, port)
