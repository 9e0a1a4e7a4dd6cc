"""The command line in the environment that has vLLM, which lacks some of what the arena needs.

python command.py SITE_PACKAGES WORDS…   the words of a command; what is missing is taken from there
"""

import sys

if __name__ == "__main__":
    sys.path.append(sys.argv.pop(1))  # after its own: torch is vLLM's
    from arena.cli import main

    main()
