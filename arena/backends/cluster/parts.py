"""Which worker does which part of a list: each part once, and again where its worker was lost."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from arena.backends.base import Intake, Result
from arena.backends.cluster.crew import LOST, TRIES, Crew, Member, answer, first_of
from arena.backends.cluster.worker import Did, Ended, Failed, Tells, Wants
from arena.records.errors import ArenaError, BackendError, UnavailableError

LOOK = 0.5  # seconds between two looks at whether the run was stopped


class PartedList:
    """A list on its way through all workers.

    Each of them goes through the whole list, and is given what it asks for first. What a lost
    worker had in hand is free again for whoever comes by, and a worker that was through with the
    list goes through it once more.

    work: the model, the name of a method of its backend, and the requests. intake: says what of
    it is this run's to do. notes: what workers did otherwise, as sentences.
    """

    def __init__(self, crew: Crew, work: tuple[Any, ...], intake: Intake) -> None:
        self.notes: list[str] = []
        self._crew = crew
        self._work = work
        self._intake = intake
        self._calls: dict[Any, Member] = {}
        self._through: list[Member] = []
        self._left_out: dict[Member, ArenaError] = {}
        self._offered: set[int] = set()
        self._returned: set[int] = set()
        self._held: defaultdict[Member, set[int]] = defaultdict(set)
        self._told: dict[Member, Tells] = {}
        self._losses = Counter[int]()

    def results(self) -> Iterator[Result[Any]]:
        """Results as workers have them.

        Raises UnavailableError where no worker can do anything of the list.
        """
        for member in self._crew.fit_for(self._work[0]):
            self._begin(member)
        while self._calls and not self._is_over:
            for call in first_of(self._calls, LOOK):
                yield from self._heard(self._calls.pop(call), call)

    @property
    def _is_over(self) -> bool:
        """Whether all is done, though some workers may be loading yet, or waiting for room."""
        all_offered = bool(self._through) and not self._returned
        return (all_offered or bool(self._intake.closed)) and not any(self._held.values())

    def _begin(self, member: Member) -> None:
        self._calls[member.actor.begin.remote(*self._work)] = member

    def _go_on(self, member: Member, mine: Sequence[int] | None = None) -> None:
        self._calls[member.actor.go_on.remote(mine)] = member

    def _heard(self, member: Member, call: Any) -> Iterator[Result[Any]]:
        """Take what a worker says, and let it go on before what it did is stored."""
        try:
            said = answer(call)
        except LOST as why:
            yield from self._lost(member, why)
            return
        match said:
            case Wants(positions, host):
                self._go_on(member, self._given(member, positions, host))
            case Tells():
                self._told[member] = said
                told = self._told.values()
                self._intake.tell(sum(t.rows for t in told), sum(t.again for t in told))
                self._go_on(member)
            case Did(results):
                member.losses = 0
                self._told.pop(member, None)
                self._held[member].difference_update(i for i, _ in results)
                self._go_on(member)
                yield results
            case Ended(notes):
                self.notes += notes
                self._rest(member)
            case Failed(error):
                self._return(member, self._held.pop(member, set()))
                self._leave_out(member, error)

    def _given(self, member: Member, positions: Sequence[int], host: str) -> list[int]:
        """Those of the positions that nobody was offered before, and that are this run's to do."""
        fresh = [i for i in positions if i not in self._offered]
        self._offered.update(fresh)
        self._returned.difference_update(fresh)
        mine = self._intake.admit(fresh, f"worker {member.number} on {host}") if fresh else []
        self._held[member].update(mine)
        return mine

    def _rest(self, member: Member) -> None:
        """What to do with a worker that is through: it goes through what was returned meanwhile."""
        if self._returned:
            self._begin(member)
        else:
            self._through.append(member)

    def _lost(self, member: Member, why: Exception) -> Iterator[Result[Any]]:
        held = self._held.pop(member, set())
        self._losses.update(held)
        given_up = sorted(i for i in held if self._losses[i] >= TRIES)
        if given_up:
            said = f"the worker that had it was lost {TRIES} times, as where memory runs out"
            yield [(i, BackendError(said)) for i in given_up]
        self._return(member, held.difference(given_up))
        if held:
            member.losses = 0  # what it had in hand may be to blame
        try:
            self._begin(self._crew.replaced(member, why))
        except UnavailableError as error:
            self._leave_out(member, error)

    def _return(self, member: Member, positions: set[int]) -> None:
        """Let others do what a worker cannot, those included that are through with the list."""
        self._told.pop(member, None)
        if not positions:
            return
        self._intake.give_back(sorted(positions))
        self._offered -= positions
        self._returned |= positions
        for one in self._through:
            self._begin(one)
        self._through.clear()

    def _leave_out(self, member: Member, error: ArenaError) -> None:
        """Go on without a worker; raise the error where it was the last."""
        self._left_out[member] = error
        if len(self._left_out) >= len(self._crew.members):
            raise error
        self.notes.append(f"worker {member.number} had no part in it: {error}")
