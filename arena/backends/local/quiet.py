"""The libraries' own progress bars and notices, kept out of ours."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the libraries' own progress bars and notices out of ours; errors still raise."""
    from huggingface_hub.utils import logging as hub
    from transformers.utils import logging

    before, of_hub = logging.get_verbosity(), hub.get_verbosity()
    logging.set_verbosity_error()
    hub.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
        hub.set_verbosity(of_hub)
        logging.enable_progress_bar()
