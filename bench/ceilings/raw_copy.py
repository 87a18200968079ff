"""A binary COPY of the purchases' finished rows into an empty table with the same indexes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from adapters.postgres.session import PROJECTOR, session
from bench.program import Job, Score, Settings, Work, serve
from bench.purchase_rows import folded_events, make_anew, table
from domain.subscription import Subscription
from projections.purchases import purchased

TABLE = table("bench_copied")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    conninfo = session(
        settings["database"], role=PROJECTOR, name="seatledger bench ceiling", synchronous_commit="off", TimeZone="UTC"
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        rows = [
            purchased(recorded, event)
            for recorded, event in folded_events(connection, settings["folded"])
            if isinstance(event, Subscription.SubscriptionPurchased)
        ]

        def work(_: Job) -> Score:
            make_anew(connection, TABLE)
            started = time.perf_counter()
            with connection.cursor() as cursor, cursor.copy(TABLE.insert_sql) as copy:
                copy.set_types(TABLE.copied)
                for row in rows:
                    copy.write_row(row)
            return Score(len(rows), time.perf_counter() - started)

        yield work


if __name__ == "__main__":
    serve(prepare)
