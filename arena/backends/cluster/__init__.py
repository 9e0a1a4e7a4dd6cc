"""Models held by the workers of a Ray cluster, each with a graphics card or a node of its own.

Ray's actors, not Ray Data: that cuts work into blocks ahead of time and asks again for a block that
was lost, while a run decides when a part begins whether it is still to be done, and by whom.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from arena.backends.base import Machines
from arena.records.errors import InputError

INSTALL = "pip install 'arena-llm[cluster]'"


@contextmanager
def cluster() -> Iterator[Machines]:
    """The cluster at RAY_ADDRESS, that of this machine, or one that is started here and ends.

    Raises InputError where Ray is not installed, and UnavailableError where nothing answers.
    """
    if find_spec("ray") is None:
        raise InputError(f"--executor ray: Ray is not installed; {INSTALL}")
    from arena.backends.cluster.backend import RayCluster
    from arena.backends.cluster.crew import connected

    with connected():
        yield RayCluster()
