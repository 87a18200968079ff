"""The life-cycle run over many organizations: in this process, or in several, one organization to one of them."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple
from uuid import UUID

from adapters.cli.failure import REFUSED, Failure, failure_of
from adapters.composition import House
from adapters.logs import log_to_stderr
from adapters.settings import Settings
from domain.calendar import utc_date
from services.advance import Advance, Advanced, advance_organization

STOP_S = 20.0
KILLED = Failure(REFUSED, "process_ended", "the process that worked on it ended; run it again to complete it", {})

Told = Callable[[UUID, Advanced], None]  # how far the run has come with an organization


class Outcome(NamedTuple):
    """How the run went for one organization: done, or failed."""

    organization_id: UUID
    done: Advanced
    failure: Failure | None = None


def advance_one(house: House, command: Advance, organization_id: UUID, told: Callable[[Advanced], None]) -> Advanced:
    """Takes what is due for one organization, by `as_of` or at its own time."""
    ledger = house.ledger
    until = utc_date(command.as_of or ledger.now(ledger.organization(organization_id)))
    due = house.due_work.due_profiles(until, organization_id=organization_id, at_least=house.views.head())
    till = house.till_of(organization_id)
    return advance_organization(ledger, till, command, organization_id=organization_id, due=due, told=told)


def attempted(house: House, command: Advance, organization_id: UUID, told: Callable[[Advanced], None]) -> Outcome:
    """One organization's failure does not keep the others from their turn."""
    try:
        return Outcome(organization_id, advance_one(house, command, organization_id, told))
    except Exception as error:  # noqa: BLE001 - what it was is told, and the next one is tried
        return Outcome(organization_id, Advanced(), failure_of(error))


def advance_here(house: House, command: Advance, organization_ids: Iterable[UUID], told: Told) -> list[Outcome]:
    """One organization after the other."""

    def one(organization_id: UUID) -> Outcome:
        return attempted(house, command, organization_id, lambda advanced: told(organization_id, advanced))

    return [one(organization_id) for organization_id in organization_ids]


@dataclass
class Crew:
    """Child processes, each with a house of its own; whoever is free gets the next organization."""

    settings: Settings
    command: Advance
    told: Told
    started: Callable[[int], None] = lambda _: None  # with the number of each process
    children: dict[Connection, SpawnProcess] = field(default_factory=dict)
    at_work: dict[Connection, UUID] = field(default_factory=dict)

    def run(self, organization_ids: Sequence[UUID], workers: int) -> list[Outcome]:
        """A child that ends before its organization is done is told of, and the others go on without it."""
        waiting = list(reversed(organization_ids))
        outcomes: list[Outcome] = []
        try:
            for _ in range(min(workers, len(waiting))):
                self._give(self._hired(), waiting)
            while self.at_work:
                for one in wait(list(self.at_work)):
                    if isinstance(one, Connection) and (outcome := self._heard(one)):
                        outcomes.append(outcome)
                        del self.at_work[one]
                        if outcome.failure != KILLED:
                            self._give(one, waiting)
        finally:
            self._dismiss()
        return outcomes + [Outcome(one, Advanced(), KILLED) for one in waiting]

    def _hired(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        child = context.Process(target=work, args=(self.settings, self.command, theirs), daemon=True)
        child.start()
        theirs.close()
        self.children[ours] = child
        self.started(child.pid or 0)
        return ours

    def _give(self, connection: Connection, waiting: list[UUID]) -> None:
        if waiting:
            self.at_work[connection] = waiting.pop()
            with suppress(BrokenPipeError):  # it is heard that it ended
                connection.send(self.at_work[connection])

    def _heard(self, connection: Connection) -> Outcome | None:
        try:
            said = connection.recv()
        except (EOFError, OSError):
            return Outcome(self.at_work[connection], Advanced(), KILLED)
        if isinstance(said, Outcome):
            return said
        self.told(self.at_work[connection], said)
        return None

    def _dismiss(self) -> None:
        for connection in self.children:
            connection.close()  # its word to stop
        for child in self.children.values():
            child.join(STOP_S)
            child.kill()


def work(settings: Settings, command: Advance, orders: Connection) -> None:
    """A child: takes one organization after the other until its parent has no more, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    log_to_stderr(settings, quiet=True)
    with House(settings) as house, suppress(EOFError, OSError):
        while True:
            orders.send(attempted(house, command, orders.recv(), orders.send))
