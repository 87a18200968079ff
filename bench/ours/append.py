"""The ledger's own save, as a service calls it: stamped, fingerprinted, chained, with its command's receipt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from adapters.postgres.ledger import open_ledger
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import AT, FINGERPRINT_KEY, PURCHASER, a_pool, save_in_threads
from services.resize_licenses import ResizeLicenses


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    ledger = open_ledger(
        settings["database"],
        pool_size=settings["threads"],
        clock=lambda: datetime.now(UTC),
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )

    def work(job: Job) -> Score:
        def save(organization_id: UUID) -> None:
            pool = a_pool(job["events"])
            command = ResizeLicenses(
                organization_id=organization_id,
                command_id=uuid4(),
                actor=PURCHASER,
                subscription_id=pool.subscription_id,
                total=pool.total,
                expected_total=5,
            )
            ledger.save(pool, because=command, at=AT)

        return save_in_threads(job, save)

    with closing(ledger):
        yield work


if __name__ == "__main__":
    serve(prepare)
