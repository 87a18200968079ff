"""The sealer as a process: waits to be the only one, seals until it is told to stop, and ends at the first error.

Where something is not as it was signed it ends with the code by which supervisors know that a person must look. It
never goes on by itself from that: the next one finds the same.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

import structlog

from adapters.postgres.errors import StartRefused
from adapters.postgres.follower import Follower
from adapters.postgres.ledger import refuse_unsafe
from adapters.postgres.seal_session import SealSession
from adapters.postgres.session import SEALER
from adapters.postgres.tree import NotSealed
from adapters.proof.notes import NoteInvalid
from adapters.proof.reread import SealRefused
from adapters.proof.seal_folder import SealFolder, SealFolderUnfit
from adapters.proof.sealer import Pace, Sealer, begin
from adapters.workers.checkpoint_publisher import CheckpointPublisher, Send
from adapters.workers.sealer_metrics import SealerMetrics
from services.ports import LedgerUnavailable

log = structlog.get_logger("seatledger.sealer")

LAST_RESORT_S = 10.0
ALIVE_S = 5.0  # so often it says that it lives while it waits


class Ending(IntEnum):
    """How the process ended, as its exit code."""

    STOPPED = 0  # it was told to
    HALTED = 65  # something is not as it was signed, or the folder is not whole: a person must look
    FAILED = 69  # the database or the disk went away: start again, with a growing pause


HALTS = (SealRefused, SealFolderUnfit, NotSealed, NoteInvalid, StartRefused)


@dataclass(frozen=True)
class SealerSettings:
    """Where a sealer reads and writes, and its pace."""

    database_url: str = field(repr=False)
    folder: SealFolder
    send: Send | None = None  # to the topic; None: there is no broker
    every_s: float = 10.0
    pace: Pace = field(default_factory=Pace)
    standby_s: float = 1.0  # between tries to become the only one
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    metrics: SealerMetrics = field(default_factory=SealerMetrics, repr=False)


def run_as_process(settings: SealerSettings) -> Ending:
    """Seals until SIGTERM or SIGINT; the caller ends the process with the answer, and it does end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ending = run(settings, stop)
    # A thread of the Kafka client may hang and keep the interpreter from ending.
    last_resort = threading.Timer(LAST_RESORT_S, os._exit, (int(ending),))
    last_resort.daemon = True
    last_resort.start()
    return ending


def run(settings: SealerSettings, stop: threading.Event) -> Ending:
    """Seals until `stop` is set; never raises."""
    try:
        refuse_unsafe(settings.database_url, role=SEALER)
        with SealSession(settings.database_url) as session, alone(session, settings, stop) as elected:
            if elected:
                with _noted(session, settings):
                    _seal(session, settings, stop)
    except Exception as error:  # noqa: BLE001 - whatever it was, this process must not go on
        ending, why = told(error)
        if ending is Ending.HALTED:
            log.critical("sealer halted", kind=type(error).__name__, why=why, do="look at it; nothing is signed now")
        else:
            log.error("sealer failed", why=why)  # noqa: TRY400 - a traceback would show locals
        return ending
    log.info("sealer stopped")
    return Ending.STOPPED


def told(error: Exception) -> tuple[Ending, str]:
    """How an error ends the process, and what is told of it."""
    if isinstance(error, HALTS):
        return Ending.HALTED, str(error)
    if isinstance(error, LedgerUnavailable):
        return Ending.FAILED, str(error)
    if isinstance(error, OSError):
        return Ending.FAILED, f"{error.filename or 'a file'}: {error.strerror}"
    return Ending.FAILED, type(error).__name__  # its text may quote a row


@contextmanager
def alone(session: SealSession, settings: SealerSettings, stop: threading.Event) -> Iterator[bool]:
    """Waits until no other sealer has the database's lock, nor the folder; False where it is told to stop before."""
    settings.metrics.begin(session.last_error())
    waits = _Waits(settings, stop)
    elected = waits.until(session.elected)
    while elected:
        with settings.folder.alone() as free:
            if free:
                yield True
                return
        elected = waits.until(lambda: True, at_least_once=True)
    yield False


class _Waits:
    """Stands by, and says so once."""

    def __init__(self, settings: SealerSettings, stop: threading.Event) -> None:
        self._settings, self._stop, self._said = settings, stop, False

    def until(self, ready: Callable[[], bool], *, at_least_once: bool = False) -> bool:
        while at_least_once or not ready():
            at_least_once = False
            if not self._said:
                log.info("sealer stands by")
            self._said = True
            self._settings.metrics.looked()
            if self._stop.wait(self._settings.standby_s):
                return False
        return not self._stop.is_set()


@contextmanager
def _noted(session: SealSession, settings: SealerSettings) -> Iterator[None]:
    """Who seals is noted for people, and how that ends; a database that is away does not hear of it."""
    session.begins_to_seal()
    settings.metrics.seals.set(1)
    try:
        yield
    except Exception as error:
        ending, why = told(error)
        settings.metrics.failed(ending.name.lower(), datetime.now(UTC))
        with suppress(LedgerUnavailable):
            session.fails(ending.name.lower(), why)
        raise


def _seal(session: SealSession, settings: SealerSettings, stop: threading.Event) -> None:
    with (
        Follower(settings.database_url, role=SEALER, session_name="seatledger sealer") as follower,
        publishing(settings),
    ):
        sealer = begin(session, follower, settings.folder, clock=settings.clock, pace=settings.pace)
        log.info("sealer seals", size=sealer.signed_size)
        sealer.look_at_suspect()
        while not stop.is_set():
            if _step(sealer, settings):
                _wait(settings, stop)


def _step(sealer: Sealer, settings: SealerSettings) -> bool:
    """Whether there is nothing more to do now."""
    step = sealer.step()
    settings.metrics.stepped(step, sealer.signed_size)
    if step.signed:
        log.info("sealer signed", size=step.signed.checkpoint.size, added=step.added)
    return step.drained


def _wait(settings: SealerSettings, stop: threading.Event) -> None:
    left_s = settings.every_s
    while left_s > 0 and not stop.wait(min(left_s, ALIVE_S)):
        settings.metrics.looked()
        left_s -= ALIVE_S


@contextmanager
def publishing(settings: SealerSettings) -> Iterator[None]:
    """Checkpoints go to the topic meanwhile; a broker that is away holds up nothing."""
    if settings.send is None:
        yield
        return
    publisher = CheckpointPublisher(settings.database_url, settings.send, settings.metrics)
    publisher.start()
    try:
        yield
    finally:
        publisher.end()
