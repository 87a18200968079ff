"""Carries out the records of a share: waits for what passes, parks what cannot be handled, stops at the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
import structlog

from adapters.kit.retries import Retries
from adapters.kit.source import Record, Share
from adapters.kit.step import Counts, Handle, Read, Step, Unknown, is_passing
from adapters.kit.stops import Ending, Fenced, Later, Left, NotInstalled, Stop
from adapters.kit.tables import Connection, Tables, connect

log = structlog.get_logger("seatledger.kit")

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """What all shares of a consumer have in common."""

    consumer: str
    handle: Handle
    database_url: str
    unknown: Unknown = "pass_over"
    retries: Retries = field(default_factory=Retries)
    batch: int = 200  # events of a transaction at most
    queue: int = 1_000  # records that wait before a share is paused; from the half of it on it is read again
    queue_bytes: int = 8 * 1024 * 1024


class Carrier:
    """Made by the thread of a share, and used by it alone."""

    def __init__(self, work: Work, share: Share, counts: Counts, leaving: threading.Event) -> None:
        self._work, self._share, self._counts, self._leaving = work, share, counts, leaving
        self._connection: Connection | None = None
        try:
            places = self._insist(lambda: Tables(self._connected, work.consumer).places(share))
        except psycopg.errors.UndefinedTable:
            self.close()
            raise NotInstalled from None
        self.step = Step(Tables(self._connected, work.consumer), work.handle, work.unknown, counts, places)

    def take(self, records: Sequence[Record]) -> None:
        """Carries out what is new among them; raises what is wrong with one when those before it are done."""
        reads: list[Read] = []
        stop: Stop | None = None
        done = {partition: place.position for partition, place in self.step.places.items()}
        for record in records:
            try:
                position = record.position()
                if position <= done[record.partition]:
                    self._counts.duplicates += 1
                else:
                    reads.append(Read(record.event(), record.offset))
                    done[record.partition] = position
            except Stop as found:
                stop = found
                break
        if reads:
            self._carry_out(reads)
        if stop:
            raise stop

    def look(self) -> None:
        """Raises Fenced where the places are others by now, though nothing came that would have told."""
        if self._insist(lambda: self._step().tables.places(self._share)) != self.step.places:
            raise Fenced

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _carry_out(self, reads: Sequence[Read]) -> None:
        try:
            self._insist(lambda: self._step().carry_out(reads))
        except Ending:
            raise
        except Exception:  # noqa: BLE001 - of one of them; which, each by itself tells
            for read in reads:
                self._carry_out_one(read)

    def _carry_out_one(self, read: Read) -> None:
        """With attempts; after the last the event is parked."""
        retries = self._work.retries
        last: Exception = Left()
        for attempt in range(1, retries.attempts + 1):
            try:
                self._insist(lambda: self._step().carry_out([read]))
            except Ending:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's
                last = error
            else:
                return
            self._tell("event failed", where=read.event.where, type=read.event.type, attempt=attempt, error=last)
            if attempt < retries.attempts:
                self._counts.retries += 1
                self._leaving.wait(retries.pause_s(attempt))
        self._insist(lambda: self._step().park(read, last, retries.attempts))
        self._tell("event parked", where=read.event.where, type=read.event.type, error=last)

    def _insist(self, act: Callable[[], T]) -> T:
        """Acts, and again for as long as something that passes is in the way; raises Left when it is told to leave."""
        failures = 0
        while not self._leaving.is_set():
            try:
                return act()
            except Ending:
                raise
            except Exception as error:
                if not is_passing(error, self._connection):
                    raise
                failures += 1
                self._counts.retries += 1
                after_s = error.after_s if isinstance(error, Later) else None
                self._tell("consumer waits", error=error)
                self._leaving.wait(max(self._work.retries.pause_s(failures), after_s or 0))
        raise Left

    @property
    def _connected(self) -> Connection:
        """The connection; another one where it was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._work.database_url, self._work.consumer)
        return self._connection

    def _step(self) -> Step:
        """On a connection that was lost before: what was being committed may be committed, so it looks first."""
        if self.step.tables.connection.closed:
            self.step.tables.connection = self._connected
            if self.step.tables.places(self._share) != self.step.places:
                raise Fenced
        return self.step

    def _tell(self, event: str, *, error: Exception, **facts: object) -> None:
        # The text of an error may quote what was handled: it stands beside the event in the consumer's database.
        log.warning(event, consumer=self._work.consumer, error=type(error).__name__, **facts)
