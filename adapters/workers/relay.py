"""The relay as a process: waits to be the leader, publishes until it is told to stop, and ends at the first error.

It never mends itself. After an error a thread of the Kafka client may hang and its producer may not be used again, so
the process ends with a code that tells its supervisor (`seatledger up`, compose, systemd) whether to start a new one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

import structlog

from adapters.kafka.batch import BatchReader
from adapters.kafka.public_events import NoSuchEdition, types_of
from adapters.kafka.public_mapper import Unpublishable
from adapters.kafka.relay import BATCH, WATCHDOG_S, HistoryDiverged, Relay, open_producer, resume
from adapters.kafka.relay_position import PositionLost
from adapters.kafka.topic_settings import TopicMisconfigured, Topics, ensure_topics
from adapters.kafka.watchdog import EXIT_CODE, Watchdog
from adapters.postgres.errors import StartRefused
from adapters.postgres.follower import Follower
from adapters.postgres.ledger import refuse_unsafe
from adapters.postgres.relay_session import RelaySession
from adapters.postgres.session import PROJECTOR
from adapters.workers.relay_metrics import RelayMetrics
from adapters.workers.relay_reader import ReaderProcess, Reading
from services.ports import LedgerUnavailable

log = structlog.get_logger("seatledger.relay")

CLOSE_S = 5.0
GRACE_S = 6.0  # for the batch that is under way when it is told to stop


class Ending(IntEnum):
    """How the process ended, as its exit code."""

    STOPPED = 0  # it was told to
    HALTED = 65  # the topic and the ledger do not fit, or an event cannot go out: a person must look
    FAILED = 69  # the broker or the database went away: start again, with a growing pause
    HUNG = EXIT_CODE  # a call to the broker did not return: start again

    @property
    def restartable(self) -> bool:
        """Whether a supervisor should start a new process."""
        return self in {Ending.FAILED, Ending.HUNG}


class Forked(Exception):
    """The ledger is in another epoch than when this relay began: the next one publishes under the new source."""


HALTS = (HistoryDiverged, NoSuchEdition, PositionLost, TopicMisconfigured, Unpublishable, StartRefused)


@dataclass(frozen=True)
class RelaySettings:
    """Where a relay reads and writes, and its pace."""

    database_url: str = field(repr=False)
    kafka_bootstrap: str
    topics: Topics = field(default_factory=Topics)
    batch: int = BATCH
    idle_s: float = 0.02  # between looks for new events
    standby_s: float = 1.0  # between tries to become the leader
    show_s: float = 1.0  # between copies of the position for people
    watchdog_s: float = WATCHDOG_S
    metrics: RelayMetrics = field(default_factory=RelayMetrics, repr=False)


def run_as_process(settings: RelaySettings) -> Ending:
    """Relays until SIGTERM or SIGINT; the caller ends the process with the answer, and it does end."""
    stop = threading.Event()

    def told_to_stop(*_: object) -> None:
        if not stop.is_set():
            stop.set()
            grace = threading.Timer(GRACE_S, _leave)
            grace.daemon = True
            grace.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    ending = run(settings, stop)
    # A thread of the Kafka client may hang and keep the interpreter from ending.
    last_resort = threading.Timer(2 * CLOSE_S, os._exit, (int(ending),))
    last_resort.daemon = True
    last_resort.start()
    return ending


def _leave() -> None:
    """The broker did not answer in time: it aborts what is not committed, and the next relay reads what is."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"relay stopped; the broker does not answer\n")
    os._exit(Ending.STOPPED)


def run(settings: RelaySettings, stop: threading.Event) -> Ending:
    """Relays until `stop` is set; never raises. The caller ends the process with the answer."""
    try:
        refuse_unsafe(settings.database_url)
        with RelaySession(settings.database_url, settings.topics.events) as session:
            settings.metrics.begin(settings.topics.events, session.last_error())
            if _wait_for_election(session, settings, stop):
                with _noted(session, settings, stop):
                    _lead(session, settings, stop)
    except Exception as error:  # noqa: BLE001 - whatever it was, this process must not go on
        ending, why = _told(error, stop)
        if ending is Ending.HALTED:
            log.critical("relay halted", why=why, do="look at it, mend the cause, then start the relay again")
            return ending
        if ending is Ending.FAILED:
            log.error("relay failed", why=why)  # noqa: TRY400 - a traceback would show locals
            return ending
    log.info("relay stopped")
    return Ending.STOPPED


def _told(error: Exception, stop: threading.Event) -> tuple[Ending, str]:
    """How an error ends the process, and what is told of it."""
    if isinstance(error, HALTS):
        return Ending.HALTED, str(error)
    if stop.is_set():  # what was under way is aborted, as it was told to end
        return Ending.STOPPED, type(error).__name__
    if isinstance(error, Forked | LedgerUnavailable):
        return Ending.FAILED, str(error)
    return Ending.FAILED, type(error).__name__  # its text may quote what was sent


@contextmanager
def _noted(session: RelaySession, settings: RelaySettings, stop: threading.Event) -> Iterator[None]:
    """Who leads is noted for people, and how that ends; a database that is away does not hear of it."""
    session.begins_to_lead()
    try:
        yield
    except Exception as error:
        ending, why = _told(error, stop)
        if ending is not Ending.STOPPED:
            settings.metrics.failed(ending.name.lower(), datetime.now(UTC))
            with suppress(LedgerUnavailable):
                session.fails(ending.name.lower(), why)
        raise


def _wait_for_election(session: RelaySession, settings: RelaySettings, stop: threading.Event) -> bool:
    waiting = False
    while not session.elected():
        if not waiting:
            log.info("relay stands by", topic=settings.topics.events)
        waiting = True
        settings.metrics.looked()
        if stop.wait(settings.standby_s):
            return False
    return not stop.is_set()


def _lead(session: RelaySession, settings: RelaySettings, stop: threading.Event) -> None:
    topics = settings.topics
    types_of(topics.edition)  # halts before it creates anything where there is no such edition
    ensure_topics(settings.kafka_bootstrap, topics)
    watchdog = Watchdog(settings.watchdog_s)
    producer = open_producer(settings.kafka_bootstrap, topics)
    try:
        relay = resume(producer, settings.kafka_bootstrap, topics, session, watchdog)
        log.info("relay leads", topic=topics.events, source=relay.source, after=relay.after)
        skips = session.skips(topics.edition)
        settings.metrics.leads(relay.after)
        reading = Reading(settings.database_url, relay.source, settings.batch, topics.edition, dict(skips))
        with (
            Follower(settings.database_url, relay.after, role=PROJECTOR, session_name="seatledger relay") as follower,
            BatchReader(
                follower,
                relay.source,
                settings.batch,
                watchdog,
                edition=topics.edition,
                skips=skips,
                beside=lambda: ReaderProcess(reading),
            ) as reader,
        ):
            _publish(relay, reader, session, settings, stop)
    finally:
        with watchdog.guards("closing the producer"):
            producer.close(timeout=CLOSE_S)


def _publish(
    relay: Relay, reader: BatchReader, session: RelaySession, settings: RelaySettings, stop: threading.Event
) -> None:
    shown, next_show = 0, time.monotonic()  # what the one before committed it may not have shown
    while not stop.is_set():
        ledger = session.look()
        if ledger.source != relay.source:
            raise Forked(f"the ledger is {ledger.source} now, and was {relay.source} when this relay began")
        batch = reader.next()
        began = time.monotonic()
        relay.publish(batch, meanwhile=reader.read_on)
        settings.metrics.published(relay.after, ledger.head, len(batch.messages), time.monotonic() - began)
        if not batch.messages:
            stop.wait(settings.idle_s)
        if relay.after != shown and (stop.is_set() or time.monotonic() >= next_show):
            _show(relay, session)
            shown, next_show = relay.after, time.monotonic() + settings.show_s


def _show(relay: Relay, session: RelaySession) -> None:
    if relay.position:
        session.show(relay.source, relay.position.position, bytes.fromhex(relay.position.chain_hash))
        log.info("relay published", position=relay.after)
