"""How far each topic is published, as the relay last showed it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.session import APP, session

SHOWN = """
SELECT shown.topic, shown.position, shown.seen_at FROM relay.position AS shown JOIN ledger.source AS ours
    ON shown.source = format('/seatledger/%s/%s', ours.ledger_id, ours.epoch) ORDER BY shown.topic
"""


class RelayShown(NamedTuple):
    """The copy in PostgreSQL: it may be a second behind the topic."""

    topic: str
    position: int
    seen_at: datetime


def relay_shown(url: str) -> list[RelayShown]:
    """One for each topic that this ledger and epoch was ever published to."""
    with unavailable_is_told(), psycopg.connect(session(url, role=APP, name="seatledger status")) as connection:
        return [RelayShown(*row) for row in connection.execute(SHOWN)]
