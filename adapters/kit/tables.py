"""The kit's tables: where a consumer stands, kept by the transaction that has the effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, LiteralString, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from adapters.kit.event import Event
from adapters.kit.source import PARTITIONS, Place, Share
from adapters.kit.stops import Fenced, OtherSource

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

# Whoever vanishes in a transaction must not keep the place locked for ever: neither a frozen nor a cut off process.
IDLE_IN_TRANSACTION_S = 60
LOCK_S = 30
SESSION = (
    f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_S}s -c lock_timeout={LOCK_S}s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)
CONNECT_S = 5


class Look(NamedTuple):
    """What is known of an organization."""

    sequence: int | None
    is_parked: bool


def install(connection: Connection) -> None:
    """Makes the kit's tables where they are absent; safe to run again, and by several at a time."""
    statements = files("adapters.kit").joinpath("schema.sql").read_text(encoding="utf-8")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('seatledger.kit', 0))")
        connection.execute(statements.encode())


def connect(url: str, consumer: str) -> Connection:
    """A session of a consumer, in autocommit; settings in the URL win."""
    given = psycopg.conninfo.conninfo_to_dict(url)
    options = f"{SESSION} {given.get('options') or ''}".strip()
    settings: dict[str, Any] = {
        "application_name": f"kit {consumer}",
        "connect_timeout": CONNECT_S,
        **given,
        "options": options,
    }
    return psycopg.connect(make_conninfo(**settings), autocommit=True)


class Tables:
    """The rows of one consumer; its methods are called within transactions of others, `adopt` excepted."""

    def __init__(self, connection: Connection, consumer: str) -> None:
        self.connection, self.consumer = connection, consumer

    # Where it stands.

    def source(self) -> str | None:
        """The ledger and epoch that it reads; None before its first event."""
        row = self._row("SELECT source FROM kit.consumers WHERE consumer = %s", self.consumer)
        return str(row[0]) if row else None

    def adopt(self, source: str, partitions: Sequence[int], where: str) -> None:
        """Makes the source the consumer's, and the rows of its places; raises OtherSource where it has another."""
        with self.connection.transaction():
            self.connection.execute(
                "INSERT INTO kit.consumers (consumer, source) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (self.consumer, source),
            )
            # Behind a replay that has just forgotten the source, and not before it.
            row = self._row("SELECT source FROM kit.consumers WHERE consumer = %s FOR SHARE", self.consumer)
            if row is None:
                raise Fenced
            if row[0] != source:
                raise OtherSource(consumer=self.consumer, known=str(row[0]), found=source, where=where)
            self.connection.execute(
                "INSERT INTO kit.places (consumer, source, partition) SELECT %s, %s, unnest(%s::int[])"
                " ON CONFLICT DO NOTHING",
                (self.consumer, source, list(partitions)),
            )

    def places(self, share: Share = tuple(range(PARTITIONS))) -> dict[int, Place]:
        """The places of these partitions; the beginning where there is none yet."""
        rows = self.connection.execute(
            "SELECT partition, position, started_after, kafka_offset, kafka_position FROM kit.places"
            " JOIN kit.consumers USING (consumer, source) WHERE consumer = %s AND partition = ANY(%s)",
            (self.consumer, list(share)),
        )
        known = {partition: Place(*place) for partition, *place in rows}
        return {partition: known.get(partition, Place()) for partition in share}

    def hold(self, source: str, places: Mapping[int, Place]) -> None:
        """Locks the places until the transaction ends; raises Fenced where they are others by now.

        Of two owners the second waits here for the first, and then finds that it is late.
        """
        rows = self.connection.execute(
            "SELECT partition, position FROM kit.places WHERE consumer = %s AND source = %s AND partition = ANY(%s)"
            " ORDER BY partition FOR UPDATE",
            (self.consumer, source, list(places)),
        ).fetchall()
        if dict(rows) != {partition: place.position for partition, place in places.items()}:
            raise Fenced

    def move(
        self, source: str, before: Mapping[int, Place], after: Mapping[int, Place], seen: Mapping[UUID, int]
    ) -> None:
        """Moves the places, compared with what they were, and keeps the sequences; raises Fenced."""
        self.connection.execute(
            "INSERT INTO kit.sequences (consumer, source, organization_id, sequence)"
            " SELECT %s, %s, * FROM unnest(%s::uuid[], %s::bigint[])"
            " ON CONFLICT (consumer, source, organization_id) DO UPDATE SET sequence = excluded.sequence",
            (self.consumer, source, list(seen), list(seen.values())),
        )
        moved = self.connection.execute(
            "UPDATE kit.places AS place SET position = move.position, kafka_offset = move.kafka_offset,"
            " kafka_position = move.kafka_position, moved_at = now()"
            " FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " AS move (partition, before, position, kafka_offset, kafka_position)"
            " WHERE consumer = %s AND source = %s AND place.partition = move.partition AND place.position = before",
            (
                list(after),
                [before[partition].position for partition in after],
                [place.position for place in after.values()],
                [place.offset for place in after.values()],
                [place.offset_position for place in after.values()],
                self.consumer,
                source,
            ),
        )
        if moved.rowcount != len(after):
            raise Fenced

    # Of organizations.

    def look(self, source: str, organization_ids: Sequence[UUID]) -> dict[UUID, Look]:
        """The last sequence of each, and whether its events are parked."""
        rows = self.connection.execute(
            "SELECT asked.id, known.sequence, EXISTS (SELECT FROM kit.parked AS parked"
            " WHERE parked.consumer = %(consumer)s AND parked.source = %(source)s"
            " AND parked.organization_id = asked.id) FROM unnest(%(ids)s::uuid[]) AS asked (id)"
            " LEFT JOIN kit.sequences AS known ON known.consumer = %(consumer)s AND known.source = %(source)s"
            " AND known.organization_id = asked.id",
            {"consumer": self.consumer, "source": source, "ids": list(organization_ids)},
        )
        return {organization_id: Look(*rest) for organization_id, *rest in rows}

    def park(self, event: Event, *, attempts: int, error: str | None) -> None:
        """Keeps an event for later; without an error: behind one that was kept."""
        self.connection.execute(
            "INSERT INTO kit.parked (consumer, source, position, partition, organization_id, sequence, type,"
            " attributes, content, attempts, error, tried_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s > 0 THEN now() END)",
            (
                self.consumer,
                event.source,
                event.position,
                event.partition,
                event.organization_id,
                event.sequence,
                event.type,
                Jsonb(dict(event.attributes)),
                event.content,
                attempts,
                error,
                attempts,
            ),
        )

    def _row(self, query: LiteralString, *parameters: Any) -> tuple[Any, ...] | None:
        return self.connection.execute(query, parameters).fetchone()
