"""Purchases folded as the library's projections do it: each event in a transaction with its position."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.session import PROJECTOR, session
from bench.program import Job, Score, Settings, Work, serve
from bench.purchase_rows import folded_events, make_anew, table
from domain.subscription import Subscription
from projections.purchases import changed, key_of, purchased

TRACKING = "CREATE TABLE IF NOT EXISTS projections.bench_tracking (name text PRIMARY KEY, position bigint NOT NULL)"
TRACK = (
    "INSERT INTO projections.bench_tracking AS t VALUES ('bench', %s)"
    " ON CONFLICT (name) DO UPDATE SET position = excluded.position"
)
TABLE = table("bench_one_by_one")


def insert(row: tuple[Any, ...]) -> tuple[Composed, tuple[Any, ...]]:
    places = SQL(", ").join(SQL("%s") * len(row))
    return SQL("INSERT INTO {} VALUES ({})").format(TABLE.name, places), row


def update(key: tuple[Any, ...], values: dict[str, Any]) -> tuple[Composed, tuple[Any, ...]]:
    assigned = SQL(", ").join(SQL("{} = %s").format(Identifier(name)) for name in values)
    query = SQL("UPDATE {} SET {} WHERE organization_id = %s AND subscription_id = %s").format(TABLE.name, assigned)
    return query, (*values.values(), *key)


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    conninfo = session(
        settings["database"],
        role=PROJECTOR,
        name="seatledger bench ceiling",
        synchronous_commit=settings["synchronous_commit"],
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(TRACKING)

        def work(job: Job) -> Score:
            make_anew(connection, TABLE)
            done, started = 0, time.perf_counter()
            for recorded, event in folded_events(connection, job["few"]):
                if isinstance(event, Subscription.SubscriptionPurchased):
                    query, parameters = insert(purchased(recorded, event))
                else:
                    values = {**changed(event), "last_position": recorded.position}
                    query, parameters = update(key_of(recorded, event), values)
                with connection.transaction():
                    connection.execute(query, parameters, prepare=True)
                    connection.execute(TRACK, (recorded.position,), prepare=True)
                done += 1
            return Score(done, time.perf_counter() - started)

        yield work


if __name__ == "__main__":
    serve(prepare)
