"""A consumer: reads a source, and carries out each event once, with its place, in a database of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import structlog

from adapters.kit.carrier import Work
from adapters.kit.crew import Crew, Metrics
from adapters.kit.replay import Truncate, replay
from adapters.kit.retries import Retries
from adapters.kit.source import Reader, Source
from adapters.kit.step import Handle, Unknown
from adapters.kit.stops import Later
from adapters.kit.tables import connect

log = structlog.get_logger("seatledger.kit")

T = TypeVar("T")
POLL_S = 0.1


class Consumer:
    """`handle(event, connection)` has its effect once for each event, in order within an organization.

    It runs in a transaction of `database_url` that also moves the consumer's place, and must not end it. Processes
    with consumers of the same name share the partitions. One thread for each partition calls `handle`.
    """

    def __init__(
        self,
        name: str,
        handle: Handle,
        *,
        database_url: str,
        source: Source,
        unknown: Unknown = "pass_over",
        retries: Retries | None = None,
        batch: int = 200,
        queue: int = 1_000,
    ) -> None:
        self.name, self.source = name, source
        self._database_url = database_url
        self._retries = retries or Retries()
        self._crew = Crew(Work(name, handle, database_url, unknown, self._retries, batch, queue))

    def run(self, stop: threading.Event) -> None:
        """Reads until `stop` is set; raises Stopped when nothing is left that could go on.

        A partition that stops does not keep others from going on: it is told in the log, by `metrics`, and at the end.
        """
        self._read(self.source, stop, lambda _: False)

    def catch_up(self, stop: threading.Event, source: Source | None = None) -> None:
        """Reads as far as the source goes now. With the HTTP feed as `source`, `run` goes on exactly behind it."""
        self._read(source or self.source, stop, lambda reader: reader.at_head and self._crew.is_idle)

    def replay(self, *, truncate: Truncate, from_position: int = 0, from_time: datetime | None = None) -> None:
        """Takes back what was done and where it stands, in one transaction; what runs meanwhile goes on from there.

        `truncate(connection)` empties the consumer's own tables. From zero the source that was known is forgotten too.
        From a position or a time (when the ledger recorded it) everything behind it is handed out again, and whether
        the first event of an organization is its next one cannot be known.
        """
        places = self.source.places_at(from_time) if from_time else None
        with connect(self._database_url, self.name) as connection:
            replay(connection, self.name, truncate=truncate, from_position=from_position, places=places)

    def metrics(self) -> Metrics:
        """May be asked by any thread."""
        return self._crew.metrics()

    def _read(self, source: Source, stop: threading.Event, is_done: Callable[[Reader], bool]) -> None:
        crew = self._crew
        crew.stopped.clear()
        reader = self._insist(lambda: source.open(self.name, crew), stop)
        if reader is None:
            return
        try:
            while not stop.is_set() and not crew.has_stopped:
                crew.give(self._insist(lambda: reader.poll(POLL_S), stop) or ())
                crew.tend(reader)
                if is_done(reader):
                    break
        finally:
            crew.leave_all()
            stopped = dict(crew.stopped)
            reader.close()
            crew.stopped.update(stopped)
        crew.raise_what_stopped()

    def _insist(self, ask: Callable[[], T], stop: threading.Event) -> T | None:
        """The source's answer, as soon as it gives one; None when it is time to stop."""
        failures = 0
        while not stop.is_set():
            try:
                return ask()
            except Later as later:
                failures += 1
                log.warning("source waits", consumer=self.name, why=str(later))
                stop.wait(max(self._retries.pause_s(failures), later.after_s or 0))
        return None
