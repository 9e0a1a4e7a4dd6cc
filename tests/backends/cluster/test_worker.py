"""A worker without its cluster: what it says, word by word, and what it does with the answers."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.backends import Request, TextRequest
from arena.backends.cluster.worker import Did, Ended, Failed, Said, Wants, Worker
from arena.config import parse_model
from arena.judging import load_card, plan
from arena.records import Model, NoAnswer, Prompt
from arena.records.errors import (
    BackendError,
    NoAnswerError,
    TransientError,
    UnavailableError,
    UnknownNameError,
)
from arena.store import Store

ECHO = parse_model("fake:echo")
REQUESTS = [Request((f"say {k}",), seed=k) for k in range(3)]


def words(worker: Worker, said: Said, mine: Callable[[list[int]], list[int]]) -> list[Said]:
    """All that a worker says to the end of its list. mine: what it may do of what it wants."""
    heard = [said]
    while not isinstance(said, Ended | Failed):
        said = worker.go_on(mine(said.positions) if isinstance(said, Wants) else None)
        heard.append(said)
    return heard


def positions(heard: list[Said]) -> list[int]:
    return [i for said in heard if isinstance(said, Did) for i, _ in said.results]


def test_a_worker_does_what_it_is_given_of_the_list_and_no_more() -> None:
    worker = Worker()
    heard = words(worker, worker.begin(ECHO, "converse", REQUESTS), lambda wanted: wanted)
    assert positions(heard) == [0, 1, 2]
    again = words(worker, worker.begin(ECHO, "converse", REQUESTS), lambda w: [i for i in w if i])
    assert positions(again) == [1, 2]
    assert [said.positions for said in again if isinstance(said, Wants)] == [[0], [1], [2]]


def test_a_list_that_is_given_up_for_another_is_heard_of_no_more() -> None:
    worker = Worker()
    assert isinstance(worker.begin(ECHO, "converse", REQUESTS), Wants)
    read = [TextRequest("b", "a")]
    heard = words(worker, worker.begin(ECHO, "likelihoods", read), lambda wanted: wanted)
    assert positions(heard) == [0]


def test_what_is_wrong_with_a_model_is_said_and_what_is_wrong_with_the_code_is_raised() -> None:
    worker = Worker()
    missing = parse_model("m=./not-there")
    assert isinstance(worker.ask(missing, "window"), UnavailableError)
    (failed,) = words(worker, worker.begin(missing, "converse", REQUESTS), lambda wanted: wanted)
    assert isinstance(failed, Failed)
    assert "not-there" in str(failed.error)
    with pytest.raises(AttributeError):
        worker.begin(ECHO, "no such thing", REQUESTS)


def test_what_a_worker_says_of_a_model_is_what_its_backend_says() -> None:
    assert Worker().ask(ECHO, "window") is None
    assert Worker().ask(ECHO, "start") is None


@pytest.mark.parametrize(
    "error",
    [
        BackendError("it is too long"),
        NoAnswerError("nothing came", NoAnswer.EMPTY),
        TransientError("not now", "rate limit", 3.0),
        UnknownNameError("model", "smolm", ["smollm2"]),
    ],
)
def test_errors_go_from_process_to_process_as_they_are(error: BackendError) -> None:
    there = pickle.loads(pickle.dumps(error))
    assert (type(there), str(there), vars(there)) == (type(error), str(error), vars(error))


def test_a_judges_questions_go_to_a_worker_with_their_second_turn(
    answered: Store, prompts: list[Prompt], models: list[Model], write_card: Callable[..., str]
) -> None:
    card = load_card(write_card("j", "fake:mute"), answered.home)
    todo = plan(answered, card, prompts)
    own = [todo.request(task) for task in todo.tasks]
    there = pickle.loads(pickle.dumps(own))
    assert [request.turns for request in there] == [request.turns for request in own]
    assert there[0].follow_up
    assert own[0].follow_up
    assert there[0].follow_up("nothing", "stop") == own[0].follow_up("nothing", "stop")
    assert Path(answered.path).exists()
