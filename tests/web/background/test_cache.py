"""Work in a process beside the app, when the app is stopped or killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.running import ROOT

# An app that has work done beside it; the work says who it is, and then never ends.
APP = """
import sys
from pathlib import Path
from arena.store import Store
from arena.web.background import cache

def work(store, wanted):
    import os, time
    print(os.getpid(), flush=True)
    time.sleep(10_000)

if __name__ == "__main__":
    cache.LARGE = 0
    cache.Cache(Store(Path(sys.argv[1])), work, "all").get("all", 10_000.0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_works_beside_an_app_ends_with_it(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "serving.py"
    script.write_text(APP)
    command = [sys.executable, str(script), str(tmp_path / "arena.db")]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as app:
        assert app.stdout is not None
        worker = int(app.stdout.readline())
        os.kill(worker, 0)
        app.send_signal(how)
        # The worker holds the other end of this pipe for as long as it lives.
        assert app.communicate(timeout=60)[0] == ""
