"""The ledger as the bench's writers have it, and their save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from adapters.postgres.ledger import open_ledger
from bench.workload import AT, FINGERPRINT_KEY, PURCHASER, a_pool
from services.ledger import Ledger
from services.resize_licenses import ResizeLicenses


@contextmanager
def writing(database: str, threads: int) -> Iterator[Ledger]:
    """With a connection for each thread."""
    ledger = open_ledger(
        database,
        pool_size=threads,
        clock=lambda: datetime.now(UTC),
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )
    with closing(ledger):
        yield ledger


def save(ledger: Ledger, organization_id: UUID, events: int) -> UUID:
    """A save of so many events, as a service makes one; answers its command."""
    pool = a_pool(events)
    command = ResizeLicenses(
        organization_id=organization_id,
        command_id=uuid4(),
        actor=PURCHASER,
        subscription_id=pool.subscription_id,
        total=pool.total,
        expected_total=5,
    )
    ledger.save(pool, because=command, at=AT)
    return command.command_id
