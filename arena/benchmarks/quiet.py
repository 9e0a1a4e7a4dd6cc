"""Keeping lm-eval to itself."""

import io
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout


@contextmanager
def quiet_harness() -> Iterator[None]:
    """lm-eval logs, draws bars and draws random numbers; its errors still raise."""
    state = random.getstate()
    loggers = [logging.getLogger(name) for name in ("lm_eval", "lm-eval", "datasets")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            yield
    finally:
        random.setstate(state)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
