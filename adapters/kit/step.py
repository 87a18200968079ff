"""A step of a consumer: the effect of some events and the place behind them, in one transaction of its database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from adapters.kit.event import Event
from adapters.kit.source import Place
from adapters.kit.stops import Later, SequenceGap
from adapters.kit.tables import Connection, Look, Tables

Handle: TypeAlias = Callable[[Event, Connection], None]
"""What a consumer does with an event, within the transaction that moves its place. It must not commit."""

Unknown: TypeAlias = Literal["pass_over", "hand_out"]
"""What is done with events of types that this version does not know."""

LONGEST_ERROR = 1_000
PASSING = ("08", "25006", "40", "53", "55P03", "57P")
"""SQLSTATEs, or their beginnings, that say nothing about an event: connection, conflict, resources, lock, shutdown."""


class TransactionLeft(Exception):
    """The code that handles an event has ended the transaction: what it did cannot be kept with the place."""

    def __init__(self) -> None:
        super().__init__("the transaction was ended while an event was handled; leave COMMIT and ROLLBACK to the kit")


class SkippedEvent(Exception):
    """What happened cannot be known here: a person decides what the consumer makes of the organization."""

    def __init__(self) -> None:
        super().__init__(
            "an operator skipped this event, and its content went nowhere; find out what it was, then discard it"
        )


def hand_out(handle: Handle, event: Event, connection: Connection) -> None:
    """Has the effect of an event; raises SkippedEvent where there is nothing to have an effect."""
    if event.is_skipped:
        raise SkippedEvent
    handle(event, connection)


class Read(NamedTuple):
    """An event, and where Kafka has it."""

    event: Event
    offset: int | None


@dataclass
class Counts:
    """What a consumer did since it was started; each number is written by one thread."""

    handled: int = 0
    passed_over: int = 0  # opaque, or of an unknown type
    duplicates: int = 0  # handed out again by the source, and known to be done
    parked: int = 0
    retries: int = 0
    fenced: int = 0


def is_passing(error: BaseException, connection: Connection | None) -> bool:
    """Whether it says nothing about the event that was handled: it may well succeed later, and until then none would.

    Without a connection none could be had.
    """
    if isinstance(error, Later) or (connection and connection.closed):
        return True
    if not isinstance(error, psycopg.Error):
        return False
    state = error.sqlstate
    return state.startswith(PASSING) if state else isinstance(error, psycopg.OperationalError)


def told(error: BaseException) -> str:
    """An error as it is kept beside the event."""
    return f"{type(error).__name__}: {error}".replace("\0", "")[:LONGEST_ERROR]


@dataclass
class Step:
    """Carries out events of a share, in order; `places` is where it stands, as committed."""

    tables: Tables
    handle: Handle
    unknown: Unknown
    counts: Counts
    places: dict[int, Place]
    _adopted: set[str] = field(default_factory=set)

    def carry_out(self, reads: Sequence[Read]) -> None:
        """All of them or none; raises SequenceGap when those before the gap are done, and Fenced."""

        def handle(event: Event, done: Counts) -> None:
            hand_out(self.handle, event, self.tables.connection)
            done.handled += 1

        self._run(reads, handle)

    def park(self, read: Read, error: BaseException, attempts: int) -> None:
        """Keeps the event that cannot be handled, and goes on behind it; later ones of its organization join it."""

        def park(event: Event, done: Counts) -> None:
            self.tables.park(event, attempts=attempts, error=told(error))
            done.parked += 1

        self._run([read], park)

    def _run(self, reads: Sequence[Read], do: Callable[[Event, Counts], None]) -> None:
        source = reads[0].event.source
        if source not in self._adopted:
            self.tables.adopt(source, list(self.places), reads[0].event.where)
            self._adopted.add(source)
        connection = self.tables.connection
        done = Counts()
        with connection.transaction():
            self.tables.hold(source, self.places)
            known = self.tables.look(source, list({read.event.organization_id for read in reads}))
            good, gap = self._until_gap(reads, known)
            if gap and not good:
                raise gap
            parked = {organization_id for organization_id, look in known.items() if look.is_parked}
            for event, _ in good:
                self._one(event, parked, do, done)
                if connection.info.transaction_status is TransactionStatus.IDLE:
                    raise TransactionLeft
            after = self._after(good[-1])
            self.tables.move(source, self.places, after, {e.organization_id: e.sequence for e, _ in good})
        self.places.update(after)
        self.counts.handled += done.handled
        self.counts.passed_over += done.passed_over
        self.counts.parked += done.parked
        if gap:
            raise gap

    def _one(self, event: Event, parked: set[UUID], do: Callable[[Event, Counts], None], done: Counts) -> None:
        passed_over = self.unknown == "pass_over" and not event.is_known and not event.is_skipped
        if event.is_opaque or passed_over:
            done.passed_over += 1
        elif event.organization_id in parked:
            self.tables.park(event, attempts=0, error=None)
            done.parked += 1
        else:
            do(event, done)

    def _until_gap(
        self, reads: Sequence[Read], known: Mapping[UUID, Look]
    ) -> tuple[Sequence[Read], SequenceGap | None]:
        last = {organization_id: look.sequence for organization_id, look in known.items()}
        for number, (event, _) in enumerate(reads):
            before = last[event.organization_id]
            if before is None and self.places[event.partition].started_after:
                before = event.sequence - 1  # what stands before the beginning of a replay is not known here
            expected = (before or 0) + 1
            if event.sequence != expected:
                gap = SequenceGap(
                    organization_id=event.organization_id,
                    expected=expected,
                    found=event.sequence,
                    where=event.where,
                )
                return reads[:number], gap
            last[event.organization_id] = event.sequence
        return reads, None

    def _after(self, read: Read) -> dict[int, Place]:
        """Every partition of the share is read as far as the last event; some may have been further already."""
        position = read.event.position
        after = {}
        for partition, place in self.places.items():
            moved = place._replace(position=max(place.position, position))
            if read.offset is not None:
                moved = moved._replace(offset=read.offset, offset_position=position)
            after[partition] = moved
        return after
