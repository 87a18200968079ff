"""The processes of a soak, each to be killed at any moment; run as `-m tools.soak.programs KIND URL ARGUMENTS`."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from adapters.kafka.checkpoint_topic import CheckpointTopic
from adapters.kafka.topic_settings import Topics
from adapters.kit import Consumer, KafkaSource
from adapters.payments.sandbox import Sandbox
from adapters.postgres.follower import Follower
from adapters.postgres.ledger import open_ledger
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_due_work import DueWorkReads
from adapters.proof.seal_folder import SealFolder
from adapters.proof.sealer import Pace
from adapters.tax.rates import TaxTable
from adapters.workers.projector import run as run_projector
from adapters.workers.relay import RelaySettings
from adapters.workers.relay import run as run_relay
from adapters.workers.sealer import SealerSettings
from adapters.workers.sealer import run as run_sealer
from domain.envelope import RecordedEvent
from domain.refusals import Refusal
from examples.monthly_recurring_revenue.books import CONSUMER, handle
from services.advance import Advance, advance_organization
from services.command import Command
from services.ledger import Ledger
from services.ports import LedgerUnavailable
from services.resume_payments import RESUME_AFTER
from services.till import Till
from tools.soak.journal import Journal, read_journal
from tools.soak.wishes import OPERATOR, Organization, carry_out, wishes

T = TypeVar("T")

KEY = b"the same key for every process of a soak"
AGAIN_S = 0.1
SHARED = TypeAdapter(list[Organization])


def ledger_of(url: str, pool_size: int = 1, *, ahead: timedelta = timedelta()) -> Ledger:
    """The ledger by the clock, or by one that is ahead of it."""
    return open_ledger(
        url,
        pool_size=pool_size,
        clock=lambda: datetime.now(UTC) + ahead,
        fingerprint_key=KEY,
        session_name="seatledger soak",
    )


@contextmanager
def till_of(folder: Path) -> Iterator[Till]:
    """The provider that all processes of a run share."""
    with Sandbox(folder / "sandbox.sqlite", clock=lambda: datetime.now(UTC)) as sandbox:
        yield Till(sandbox, TaxTable.read(None))


def write(url: str, stop: threading.Event, journal_path: str, seed: str, shared_path: str) -> int:
    """Sends one command after the other; first again what an earlier life left without an answer."""
    path = Path(journal_path)
    entries = read_journal(path)
    journal = Journal(path)
    shared = SHARED.validate_json(Path(shared_path).read_bytes())
    if not (ledger := until_available(lambda: ledger_of(url), stop)):
        return 0
    with till_of(path.parent) as till:
        for entry in entries:
            if not entry.answered:
                ask(ledger, till, journal, entry.command, stop)
        # Each life has wishes of its own; a repeat of them would only be answered.
        for command in wishes(random.Random(f"{seed} {len(entries)}"), shared):  # noqa: S311 - not a secret
            if stop.is_set():
                break
            journal.sent(command)
            ask(ledger, till, journal, command, stop)
    ledger.close()
    return 0


def complete(url: str, folder: Path) -> int:
    """Carries on what the killed have left open, as the run would do a little later, and answers how much that was."""
    with ledger_of(url, ahead=RESUME_AFTER) as ledger, till_of(folder) as till, ReadModels(url, wait_s=60) as models:
        reads = DueWorkReads(models)
        now = ledger.now()
        due = list(reads.due_profiles(now.date(), at_least=models.head()))
        by_organization = groupby(due, key=lambda profile: profile.organization_id)
        return sum(
            advance_organization(
                ledger, till, Advance(actor=OPERATOR), organization_id=organization_id, due=list(profiles)
            ).payments
            for organization_id, profiles in by_organization
        )


def ask(ledger: Ledger, till: Till, journal: Journal, command: Command, stop: threading.Event) -> None:
    """As a client does: the same command again until there is an answer."""
    try:
        receipt = until_available(lambda: carry_out(ledger, till, command), stop)
    except Refusal as refusal:
        journal.refused(command, refusal.code)
    else:
        if receipt is not None:
            journal.acknowledged(command, receipt)


def until_available(do: Callable[[], T], stop: threading.Event) -> T | None:
    while True:
        try:
            return do()
        except LedgerUnavailable:
            if stop.wait(AGAIN_S):
                return None


def follow(url: str, stop: threading.Event, notes_path: str) -> int:
    """Notes every event it is handed; where it stands is what it noted last, effect and position in one line."""
    path = Path(notes_path)
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    path.write_bytes(whole + b"\n" if whole else b"")
    after = int(whole.rpartition(b"\n")[2].split()[0]) if whole else 0
    notes = os.open(path, os.O_WRONLY | os.O_APPEND)
    while not stop.is_set():
        try:
            with Follower(url, after) as follower:
                while not stop.is_set():
                    if events := follower.poll(500):
                        os.write(notes, "".join(map(note_of, events)).encode())
                        after = follower.after
                    else:
                        stop.wait(0.02)
        except LedgerUnavailable:
            stop.wait(AGAIN_S)
    return 0


def note_of(event: RecordedEvent) -> str:
    return f"{event.position} {event.organization_id} {event.organization_seq} {event.chain_hash.hex()}\n"


def project(url: str, stop: threading.Event) -> int:
    run_projector(url, stop)
    return 0


def relay(url: str, stop: threading.Event, bootstrap: str, replication: str = "") -> int:
    topics = Topics.of(1, int(replication) if replication else None)
    settings = RelaySettings(url, bootstrap, topics, standby_s=0.1, show_s=0, watchdog_s=20)
    return int(run_relay(settings, stop))


def seal(url: str, stop: threading.Event, folder: str, bootstrap: str = "") -> int:
    """Without a pause, and reading everything again all the time."""
    send = CheckpointTopic(bootstrap, Topics()).send if bootstrap else None
    settings = SealerSettings(
        url, SealFolder(Path(folder)), send=send, every_s=0.05, pace=Pace(reread_s=20.0), standby_s=0.1
    )
    return int(run_sealer(settings, stop))


def count_revenue(url: str, stop: threading.Event, bootstrap: str) -> int:
    """A member of the example's group."""
    source = KafkaSource(bootstrap, Topics().events)
    Consumer(CONSUMER, handle, database_url=url, source=source).run(stop)
    return 0


PROGRAMS: dict[str, Callable[..., int]] = {
    "writer": write,
    "follower": follow,
    "projector": project,
    "relay": relay,
    "sealer": seal,
    "consumer": count_revenue,
}


def main() -> None:
    kind, url, *arguments = sys.argv[1:]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    code = PROGRAMS[kind](url, stop, *arguments)
    sys.stderr.flush()
    os._exit(code)  # a thread of the Kafka client may hang and keep the interpreter from ending


if __name__ == "__main__":
    main()
