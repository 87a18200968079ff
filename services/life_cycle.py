"""The life cycle: takes the steps that are due on billing profiles, charges them, and records what became of it.

The run and every command that touches a profile come through here: same steps, same ids, whoever takes them first.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Protocol
from uuid import UUID, uuid5

from domain.kernel import Aggregate
from services.books import Books
from services.charging import see_through
from services.command import Actor, Command
from services.due_steps import DueSteps
from services.ledger import Ledger, recorded_version
from services.ports import AlreadyRecorded, VersionConflict
from services.price_list import PriceList
from services.till import Till

LIFE_CYCLE = Actor(id=UUID("4c1f0a52-8a0e-5f5e-9b57-6d0d5f7a2c11"), role="operator")

EVENTS = 2_000  # of one save; what one profile tells stays together


class TakeDueSteps(Command):
    """What the calendar asks. Its id is made of what it changes: the same change is recorded once."""


class Keeper(Protocol):
    """Where books go when they have told something."""

    def save(self, all_books: Iterable[Books], *, effective_on: date | None = None) -> None:
        """Keeps all that these books tell."""


def take_due_steps(
    all_books: Sequence[Books],
    till: Till,
    prices: PriceList,
    keeper: Keeper,
    *,
    at: datetime,
    until: date | None = None,
) -> int:
    """Takes what is due on these profiles by a day and answers how many rounds that were, over all of them.

    Raises VersionConflict when somebody else changed what was decided on: load the books again and go on.
    """
    rounds = 0
    waiting = list(all_books)
    while waiting:
        # What a crash left open comes first, then what the rounds request.
        see_through(waiting, till, at, lambda books=waiting: keeper.save(books))  # type: ignore[misc]
        days = [(DueSteps(books, till, prices, at, until=until).take_round(), books) for books in waiting]
        due = sorted(((day, books) for day, books in days if day), key=itemgetter(0))
        for day, of_day in groupby(due, key=itemgetter(0)):
            keeper.save([books for _, books in of_day], effective_on=day)
        waiting = [books for _, books in due]
        rounds += len(waiting)
    return rounds


def see_books_through(ledger: Ledger, till: Till, books: Books, *, causation_id: UUID) -> None:
    """Carries out what a command has left in its books: holds to take, refunds to send. The run does what fails."""
    at = ledger.now(books.organization, books.profile)
    recording = Recording(ledger, books.organization_id, at, causation_id)
    with suppress(VersionConflict):
        see_through([books], till, at, lambda: recording.save([books]))


class Rehearsal:
    """Keeps nothing: for quotes."""

    def save(self, all_books: Iterable[Books], *, effective_on: date | None = None) -> None:  # noqa: ARG002
        for books in all_books:
            for aggregate in books.told():
                aggregate.pending_events.clear()


class Recording:
    """Records what books tell in as few saves as the size of one allows."""

    def __init__(self, ledger: Ledger, organization_id: UUID, at: datetime, causation_id: UUID | None = None) -> None:
        self._ledger, self._organization_id = ledger, organization_id
        self._at, self._causation_id = at, causation_id

    def save(self, all_books: Iterable[Books], *, effective_on: date | None = None) -> None:
        """What one profile tells goes into one save, together with what others tell."""
        told: dict[int, Aggregate] = {}  # by identity: profiles of an organization share it
        seen: dict[int, Aggregate] = {}
        events = 0
        for books in all_books:
            if telling := books.told():
                told |= {id(aggregate): aggregate for aggregate in telling}
                seen |= {id(one): one for one in (books.profile, *books.members.values())}
                events += sum(len(aggregate.pending_events) for aggregate in telling)
                if events >= EVENTS:
                    self._record(list(told.values()), list(seen.values()), effective_on)
                    told, seen, events = {}, {}, 0
        if told:
            self._record(list(told.values()), list(seen.values()), effective_on)

    def _record(self, told: list[Aggregate], seen: list[Aggregate], effective_on: date | None) -> None:
        changes = ",".join(f"{of}@{version}" for of, version in map(recorded_version, told))
        command = TakeDueSteps(
            organization_id=self._organization_id,
            command_id=uuid5(self._organization_id, changes),
            actor=LIFE_CYCLE,
            causation_id=self._causation_id,
        )
        effective_at = None
        if effective_on and effective_on > date.min:
            effective_at = datetime.combine(effective_on, time(), UTC)
        try:
            self._ledger.save(*told, seen=seen, because=command, at=self._at, effective_at=effective_at)
        except AlreadyRecorded:
            # Somebody else took exactly these steps: what was told here is theirs, and stands in history.
            raise VersionConflict("the same steps were taken meanwhile", told[0].id) from None
