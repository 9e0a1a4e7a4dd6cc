"""The command line: parse input, call one function, print."""


def main() -> None:
    """Entry point of `arena`."""
    from arena.cli.edge import guarded

    guarded()
