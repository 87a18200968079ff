"""The same columns of the same events in the same batches, fetched as plain tuples; nobody asks what is settled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from adapters.postgres.session import PROJECTOR, session
from bench.program import Job, Score, Settings, Work, serve

FETCH = (
    "SELECT originator_id, originator_version, topic, state, organization_id, organization_seq, position, recorded_at,"
    " metadata, chain_hash FROM ledger.events WHERE position > %s ORDER BY position LIMIT %s"
)
POSITION = 6


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    conninfo = session(settings["database"], role=PROJECTOR, name="seatledger bench ceiling")

    def work(job: Job) -> Score:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            done, after, started = 0, 0, time.perf_counter()
            while done < job["events"]:
                rows = connection.execute(FETCH, (after, job["batch"]), prepare=True, binary=True).fetchall()
                after = rows[-1][POSITION]
                done += len(rows)
            return Score(done, time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
