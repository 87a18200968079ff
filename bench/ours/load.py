"""The ledger's load of an aggregate, as a service calls it: its snapshot and what came after, in one round trip."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from uuid import UUID

from adapters.postgres.ledger import open_ledger
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import FINGERPRINT_KEY


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    ledger = open_ledger(
        settings["database"],
        pool_size=1,
        clock=lambda: datetime.now(UTC),
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )

    def work(job: Job) -> Score:
        organization_id, pool_id = UUID(job["organization_id"]), UUID(job["pool_id"])
        started = time.perf_counter()
        for _ in range(job["loads"]):
            pool = ledger.license_pool(organization_id, pool_id)
        seconds = time.perf_counter() - started
        if pool.version != job["version"]:
            raise ValueError(f"loaded version {pool.version}, not {job['version']}")
        return Score(job["loads"], seconds)

    with closing(ledger):
        yield work


if __name__ == "__main__":
    serve(prepare)
