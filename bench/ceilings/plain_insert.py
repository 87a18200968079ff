"""A plain INSERT of the same row under the same indexes through the same pool: no order, no chain, no receipt."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.numeric import Int8
from pydantic_core import to_json

from adapters.postgres.datastore import LedgerDatastore
from adapters.postgres.session import APP
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import AT, PURCHASER, a_pool, save_in_threads
from domain.kernel import PydanticJSON, PydanticMapper

TABLE = f"""
CREATE SCHEMA IF NOT EXISTS bench;
CREATE SEQUENCE IF NOT EXISTS bench.position;
CREATE TABLE IF NOT EXISTS bench.events (LIKE ledger.events INCLUDING ALL);
GRANT USAGE ON SCHEMA bench TO {APP};
GRANT USAGE ON SEQUENCE bench.position TO {APP};
GRANT INSERT, SELECT ON bench.events TO {APP};
"""
INSERT = (
    "INSERT INTO bench.events VALUES (%b, %b, %b, %b, nextval('bench.position'), %b, %s, %b, %b, %b) RETURNING position"
)

CHAIN_HASH = b"h" * 32
MAPPER = PydanticMapper(PydanticJSON())
SERIAL = itertools.count(time.time_ns())


def metadata(count: int, index: int) -> bytes:
    """As many bytes as an envelope of the ledger has."""
    return to_json(
        {
            "actor_id": PURCHASER.id,
            "actor_role": PURCHASER.role,
            "on_behalf_of": None,
            "command": "resize_licenses",
            "command_id": uuid4(),
            "step": "",
            "index": index,
            "count": count,
            "correlation_id": PURCHASER.id,
            "causation_id": None,
            "occurred_at": AT,
            "effective_at": AT,
        }
    )


def rows(organization_id: UUID, events: int) -> Iterator[tuple[Any, ...]]:
    recorded_at = Int8(time.time_ns() // 1000)
    for index, event in enumerate(a_pool(events).collect_events()):
        stored = MAPPER.to_stored_event(event)
        yield (
            organization_id,
            stored.originator_id,
            Int8(stored.originator_version),
            Int8(next(SERIAL)),
            recorded_at,
            stored.topic,
            stored.state,
            metadata(events, index),
            CHAIN_HASH,
        )


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with psycopg.connect(settings["database"], autocommit=True) as connection:
        connection.execute(TABLE.encode())
    datastore = LedgerDatastore(settings["database"], pool_size=settings["threads"], name="seatledger bench ceiling")

    def work(job: Job) -> Score:
        events: int = job["events"]

        def save(organization_id: UUID) -> None:
            inserted = list(rows(organization_id, events))
            with datastore.get_connection() as connection:
                if events == 1:
                    connection.execute(INSERT, inserted[0], prepare=True).fetchone()
                else:
                    with connection.transaction(), connection.cursor() as cursor:
                        cursor.executemany(INSERT, inserted)

        return save_in_threads(job, save)

    with closing(datastore):
        yield work


if __name__ == "__main__":
    serve(prepare)
