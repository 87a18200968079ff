"""The state of an aggregate at moments of its past, as `audit show` asks for it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import psycopg

from adapters.postgres.ledger import open_ledger
from adapters.replay import state_as_of
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import BENCH, FINGERPRINT_KEY
from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper
from services.command import Actor
from services.read_as_of import ReadAsOf

OPERATOR = Actor(id=BENCH, role="operator")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    ledger = open_ledger(
        settings["database"],
        pool_size=1,
        clock=lambda: datetime.now(UTC),
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )
    organization_id, pool_id = UUID(settings["organization_id"]), UUID(settings["pool_id"])
    mapper = cast("PydanticMapper", ledger.mapper)

    def ask(as_of: AsOf) -> int:
        query = ReadAsOf(organization_id=organization_id, actor=OPERATOR, aggregate_id=pool_id, as_of=as_of)
        return state_as_of(ledger, query, mapper).version

    def work(job: Job) -> Score:
        events = ledger.history.load_events(organization_id, pool_id)
        if job["what"] == "first":
            with psycopg.connect(settings["database"], autocommit=True) as owner:
                owner.execute("TRUNCATE ledger.milestones")
        else:
            ask(AsOf())  # leaves the milestones
        chance = random.Random(job["seed"])  # noqa: S311 - to repeat a run
        moments = [moment_of(job["what"], chance.choice(events)) for _ in range(job["times"])]
        started = time.perf_counter()
        versions = [ask(moment) for moment in moments]
        seconds = time.perf_counter() - started
        if max(versions) > settings["version"]:
            raise ValueError(f"answered version {max(versions)} of {settings['version']}")
        return Score(job["times"], seconds)

    with closing(ledger):
        yield work


def moment_of(what: str, event: RecordedEvent) -> AsOf:
    if what == "first":
        return AsOf()
    return AsOf(effective_at=event.envelope.occurred_at) if what == "effective" else AsOf(known=event.position)


if __name__ == "__main__":
    serve(prepare)
