"""Claims on missing rows, by which two processes share the work."""

import os
import socket
import subprocess
import sys

import pytest

from arena.records import BackendKind, Completion, Model, Usage
from arena.store import Store
from arena.store.leases import new_owner, through

TABLE = "completions"
KEYS = [f"k{n}" for n in range(1200)]  # more than one statement takes


@pytest.fixture
def filled(store: Store) -> Store:
    store.put_model(Model("m", BackendKind.FAKE, "echo"))
    store.completions.add([Completion(key, "m", "mk", "", "stop", Usage()) for key in KEYS[:3]])
    return store


def owners(store: Store) -> dict[str, str]:
    return {
        str(k): str(o) for k, o in store._connections.db.execute("SELECT key, owner FROM leases")
    }


def test_a_row_is_claimed_once_and_not_where_it_is_stored(filled: Store) -> None:
    assert filled.leases.claim("one", KEYS, TABLE) == set(KEYS[3:])
    assert filled.leases.claim("two", KEYS, TABLE) == set()
    assert filled.leases.claim("one", KEYS[:10], TABLE) == set(KEYS[3:10])  # its own once more
    filled.leases.release("one", KEYS[3:5])
    assert filled.leases.claim("two", KEYS, TABLE) == set(KEYS[3:5])
    filled.leases.claim("two", [], TABLE, KEYS[3:4])  # what it has stored needs no claim
    assert KEYS[3] not in owners(filled)
    assert KEYS[4] in owners(filled)


def test_a_claim_that_has_run_out_is_free_and_one_that_is_renewed_is_not(filled: Store) -> None:
    filled.leases.claim("one", KEYS[3:6], TABLE, seconds=-1)
    filled.leases.claim("two", KEYS[6:9], TABLE, seconds=-1)
    filled.leases.renew("two", seconds=60)
    assert filled.leases.claim("three", KEYS[3:9], TABLE) == set(KEYS[3:6])
    assert owners(filled) == dict.fromkeys(KEYS[3:6], "three") | dict.fromkeys(KEYS[6:9], "two")


def test_released_claims_are_gone_and_those_of_others_are_not(filled: Store) -> None:
    filled.leases.claim("one", KEYS[3:6], TABLE)
    filled.leases.claim("two", KEYS[6:9], TABLE)
    filled.leases.release("one")
    assert owners(filled) == dict.fromkeys(KEYS[6:9], "two")
    filled.leases.release("two", [KEYS[3]])  # not its own
    assert set(owners(filled)) == set(KEYS[6:9])


def test_claims_are_handed_over(filled: Store) -> None:
    filled.leases.claim("one", KEYS[3:6], TABLE)
    filled.leases.hand_over("one", "batch:b", [*KEYS[3:5], "unknown"], 60)
    assert owners(filled) == {KEYS[3]: "batch:b", KEYS[4]: "batch:b", KEYS[5]: "one"}


def test_an_owner_holds_what_its_workers_do(filled: Store) -> None:
    run, other = new_owner(), new_owner()
    one, two = through(run, "worker 1 on a:b"), through(run, "worker 2 on c")
    filled.leases.claim(one, KEYS[3:6], TABLE, seconds=-1)
    filled.leases.claim(two, KEYS[6:9], TABLE, seconds=-1)
    filled.leases.claim(other, KEYS[9:10], TABLE)
    filled.leases.renew(run)
    pid = f"{socket.gethostname()}:{os.getpid()}"
    assert sorted((w.process, w.worker, w.rows) for w in filled.leases.at_work()) == [
        (pid, "", 1),
        (pid, "worker 1 on a.b", 3),
        (pid, "worker 2 on c", 3),
    ]
    assert filled.leases.claim(two, KEYS[3:4], TABLE) == set()  # it is the other worker's
    filled.leases.release(run, KEYS[3:4])
    assert filled.leases.claim(two, KEYS[3:4], TABLE) == {KEYS[3]}
    filled.leases.release(run)
    assert set(owners(filled)) == {KEYS[9]}


def test_a_process_that_has_died_holds_nothing(filled: Store) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = f"{socket.gethostname()}:{done.stdout.strip()}:abc"
    far, alive = "another-machine:1:abc", new_owner()
    for k, owner in enumerate((dead, far, alive), start=3):
        filled.leases.claim(owner, [KEYS[k]], TABLE)
    filled.leases.release_dead()
    assert set(owners(filled).values()) == {far, alive}


def test_who_works_elsewhere(filled: Store) -> None:
    assert not filled.leases.elsewhere()
    filled.leases.claim(new_owner(), [KEYS[3]], TABLE)
    filled.leases.claim("batch:b", [KEYS[4]], TABLE)
    assert not filled.leases.elsewhere()  # this process, and a batch that nobody attends
    filled.leases.claim("another-machine:1:abc", [KEYS[5]], TABLE, seconds=-1)
    assert not filled.leases.elsewhere()  # it has run out
    filled.leases.claim("another-machine:1:abc", [KEYS[6]], TABLE)
    assert filled.leases.elsewhere()


def test_an_owner_names_its_machine_and_its_process_and_is_one_run() -> None:
    first, second = new_owner(), new_owner()
    assert first != second
    assert first.startswith(f"{socket.gethostname()}:{os.getpid()}:")
