"""A table of purchases like the one that the projector fills: the same columns, types and indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, LiteralString

import psycopg

from adapters.postgres.read_tables import ReadTable
from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper
from projections.purchases import PURCHASES, Purchases

MAPPER = PydanticMapper(PydanticJSON())
FOLDED: LiteralString = (
    "SELECT originator_id, originator_version, topic, state, organization_id, organization_seq, position, recorded_at,"
    " metadata, chain_hash FROM ledger.events WHERE topic = ANY(%s) ORDER BY position LIMIT %s"
)
TOPICS = [event.TOPIC for event in Purchases.topics]


def table(name: str) -> ReadTable:
    return ReadTable(replace(PURCHASES, name=name), 1)


def make_anew(connection: psycopg.Connection[Any], read_table: ReadTable) -> None:
    connection.execute(f"DROP TABLE IF EXISTS projections.{read_table.table.name}_b1".encode())
    read_table.create(connection)


def folded_events(connection: psycopg.Connection[Any], limit: int) -> Iterator[tuple[RecordedEvent, Any]]:
    """The first events that purchases fold, recorded and decoded."""
    for row in connection.execute(FOLDED, (TOPICS, limit), binary=True):
        recorded = RecordedEvent(*row)
        yield recorded, MAPPER.to_domain_event(recorded)
