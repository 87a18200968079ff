"""The relay as a process: waits to be the leader, publishes until it is told to stop, and ends at the first error.

It never mends itself. After an error a thread of the Kafka client may hang and its producer may not be used again, so
the process ends with a code that tells its supervisor (`seatledger up`, compose, systemd) whether to start a new one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field
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
from services.ports import LedgerUnavailable

log = structlog.get_logger("seatledger.relay")

CLOSE_S = 5.0


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


def run_as_process(settings: RelaySettings) -> Ending:
    """Relays until SIGTERM or SIGINT; the caller ends the process with the answer, and it does end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ending = run(settings, stop)
    # A thread of the Kafka client may hang and keep the interpreter from ending.
    last_resort = threading.Timer(2 * CLOSE_S, os._exit, (int(ending),))
    last_resort.daemon = True
    last_resort.start()
    return ending


def run(settings: RelaySettings, stop: threading.Event) -> Ending:
    """Relays until `stop` is set; never raises. The caller ends the process with the answer."""
    try:
        refuse_unsafe(settings.database_url)
        with RelaySession(settings.database_url, settings.topics.events) as session:
            if _wait_for_election(session, settings, stop):
                _lead(session, settings, stop)
    except HALTS as halt:
        log.critical("relay halted", why=str(halt), do="look at it, mend the cause, then start the relay again")
        return Ending.HALTED
    except LedgerUnavailable as error:
        log.error("relay failed", why=str(error))  # noqa: TRY400 - a traceback would show locals
        return Ending.FAILED
    except Exception as error:  # noqa: BLE001 - whatever it was, this process must not go on
        # Its text may quote what was sent: only what kind of error it was is told.
        log.error("relay failed", error=type(error).__name__)  # noqa: TRY400 - a traceback would show locals
        return Ending.FAILED
    log.info("relay stopped")
    return Ending.STOPPED


def _wait_for_election(session: RelaySession, settings: RelaySettings, stop: threading.Event) -> bool:
    waiting = False
    while not session.elected():
        if not waiting:
            log.info("relay stands by", topic=settings.topics.events)
        waiting = True
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
        with (
            Follower(settings.database_url, relay.after, role=PROJECTOR, session_name="seatledger relay") as follower,
            BatchReader(follower, relay.source, settings.batch, watchdog, topics.edition) as reader,
        ):
            _publish(relay, reader, session, settings, stop)
    finally:
        with watchdog.guards("closing the producer"):
            producer.close(timeout=CLOSE_S)


def _publish(
    relay: Relay, reader: BatchReader, session: RelaySession, settings: RelaySettings, stop: threading.Event
) -> None:
    shown, next_show = relay.after, time.monotonic()
    while not stop.is_set():
        session.refuse_if_lost()
        batch = reader.next()
        relay.publish(batch, meanwhile=reader.read_on)
        if not batch.messages:
            stop.wait(settings.idle_s)
        if relay.after != shown and (stop.is_set() or time.monotonic() >= next_show):
            _show(relay, session)
            shown, next_show = relay.after, time.monotonic() + settings.show_s


def _show(relay: Relay, session: RelaySession) -> None:
    if relay.position:
        session.show(relay.source, relay.position.position, bytes.fromhex(relay.position.chain_hash))
        log.info("relay published", position=relay.after)
