"""Where the house stands: history's last event, what is settled, how far read models and topics have come."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.follower import Follower, Writer
from adapters.postgres.projector_builds import builds
from adapters.postgres.read_tables import Build
from adapters.postgres.reads import HEAD
from adapters.postgres.session import APP, session

RELAYED = """
SELECT shown.topic, shown.position, shown.seen_at FROM relay.position AS shown JOIN ledger.source AS ours
    ON shown.source = format('/seatledger/%s/%s', ours.ledger_id, ours.epoch) ORDER BY shown.topic
"""
SETTLE_S = 0.5  # how long is waited for writers before it is said that one waits
LOOK_S = 0.01


class RelayShown(NamedTuple):
    """How far a topic is published, as the relay last showed it: the copy may be a second behind the topic."""

    topic: str
    position: int
    seen_at: datetime


class Standing(NamedTuple):
    """Positions at one moment. What is behind `head` has a lag, in positions."""

    head: int
    settled: int
    settled_age_s: float  # how long the barrier has waited for writers; 0: it waits for nobody
    oldest_writer: Writer | None
    builds: list[Build]
    relayed: list[RelayShown]

    def lag(self, position: int) -> int:
        return max(0, self.head - position)


def relayed(connection: psycopg.Connection[tuple[Any, ...]]) -> list[RelayShown]:
    """One for each topic that this ledger and epoch was ever published to."""
    return [RelayShown(*row) for row in connection.execute(RELAYED)]


def standing(url: str) -> Standing:
    """Looks, on connections of its own; raises LedgerUnavailable."""
    with unavailable_is_told(), psycopg.connect(session(url, role=APP, name="seatledger status")) as connection:
        row = connection.execute(HEAD).fetchone()
        head = int(row[0]) if row else 0
        found = builds(connection)
        published = relayed(connection)
    with Follower(url, after=head) as follower:
        deadline = time.monotonic() + SETTLE_S
        while not follower.poll(1) and follower.settled < head and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        writer = follower.oldest_writer()
        return Standing(head, follower.settled, round(follower.settled_age_s, 3), writer, found, published)
