"""Opens the app: the same as `arena app`, with the same options."""

import sys

from arena.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "app")
    main()
