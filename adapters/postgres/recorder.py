"""The ledger's recorder: every save is one call of `ledger.append`, every load one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg.types.numeric import Int8
from pydantic_core import to_json

from adapters.postgres.arrays import Array
from adapters.postgres.datastore import LedgerDatastore
from adapters.postgres.errors import unavailable_is_told
from domain.as_of import EPOCH, EVER, AsOf
from domain.envelope import RecordedEvent
from domain.personal import PersonalFact
from domain.refusals import UnstorableText
from services.ports import AlreadyRecorded, LedgerUnavailable, Receipt, Snapshot, VersionConflict

EVENT_COLUMNS = (
    "originator_id, originator_version, topic, state,"
    " organization_id, organization_seq, position, recorded_at, metadata, chain_hash"
)
RECEIPT_COLUMNS = "fingerprint, position, organization_seq, events, recorded_at"

APPEND = (
    f"SELECT repeated, {RECEIPT_COLUMNS} FROM ledger.append(%b, %b, %s, %b,"
    " %b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::bytea[], %b::uuid[], %b::bigint[], %s::jsonb)"
)
APPEND_WITHIN = APPEND.replace("ledger.append(", "ledger.append_within(")
ERASE = "SELECT ledger.erase_facts(%b, %b::uuid[])"
ERASE_WITHIN = ERASE.replace("ledger.erase_facts(", "ledger.erase_facts_within(")
RECORDED = f"SELECT {RECEIPT_COLUMNS} FROM ledger.commands WHERE organization_id = %b AND command_id = %b AND step = %s"
OF_ONE = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %b AND originator_id = %b"
LOAD_EVENTS = f"{OF_ONE} ORDER BY originator_version"
LOAD_MANY = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %b AND originator_id = ANY(%b::uuid[])"
    " ORDER BY originator_id, originator_version"
)
# The snapshot comes as the first row, in the columns of an event and without a place in history. `greatest`
# passes over NULL as `coalesce` does, by which PostgreSQL looks nothing up behind the wall.
LOAD = (
    "WITH kept AS MATERIALIZED ("
    " SELECT * FROM ledger.snapshots WHERE organization_id = %(organization)b AND originator_id = %(originator)b)"
    " SELECT originator_id, version AS originator_version, topic, state,"
    " organization_id, NULL AS organization_seq, NULL AS position, occurred_at, shape, NULL FROM kept"
    f" UNION ALL SELECT {EVENT_COLUMNS} FROM ledger.events"
    " WHERE organization_id = %(organization)b AND originator_id = %(originator)b"
    " AND originator_version > greatest((SELECT version FROM kept), 0) ORDER BY originator_version"
)
LOAD_SEVERAL = (
    "WITH kept AS MATERIALIZED ("
    " SELECT * FROM ledger.snapshots WHERE organization_id = %(organization)b"
    " AND originator_id = ANY(%(originators)b::uuid[]))"
    " SELECT originator_id, version AS originator_version, topic, state,"
    " organization_id, NULL AS organization_seq, NULL AS position, occurred_at, shape, NULL FROM kept"
    " UNION ALL SELECT told.* FROM unnest(%(originators)b::uuid[]) AS asked(id), LATERAL ("
    f"  SELECT {EVENT_COLUMNS} FROM ledger.events"
    "  WHERE organization_id = %(organization)b AND originator_id = asked.id"
    "  AND originator_version > greatest((SELECT version FROM kept WHERE kept.originator_id = asked.id), 0)"
    "  ORDER BY originator_version) AS told"
)
VERSIONS = (
    "SELECT asked.id, newest.originator_version FROM unnest(%b::uuid[]) AS asked(id), LATERAL ("
    " SELECT originator_version FROM ledger.events WHERE organization_id = %b AND originator_id = asked.id"
    " ORDER BY originator_version DESC LIMIT 1) AS newest"
)
LOAD_PAGE = (
    "SELECT told.* FROM unnest(%b::uuid[], %b::bigint[]) AS asked(id, version), LATERAL ("
    f" SELECT {EVENT_COLUMNS} FROM ledger.events"
    " WHERE organization_id = %b AND originator_id = asked.id AND originator_version > asked.version"
    " AND topic <> ALL (%b::text[]) ORDER BY originator_version LIMIT %b) AS told"
    " ORDER BY told.organization_seq LIMIT %b"
)
# A milestone comes as the first row, like a snapshot. Then come its own event and the stretches up to the milestones
# after it, those left out of which nothing was known, or of which nothing had taken effect.
LOAD_AS_OF = (
    "WITH kept AS MATERIALIZED ("
    " SELECT version, position, recorded_at, occurred_at, effective_from, since,"
    " lag(version, 1, 0::bigint) OVER through AS low, lag(position, 1, 0::bigint) OVER through AS low_position,"
    " lag(recorded_at, 1, 0::bigint) OVER through AS low_recorded_at FROM ledger.milestones"
    " WHERE organization_id = %(organization)b AND originator_id = %(originator)b"
    " WINDOW through AS (ORDER BY version)), "
    "base AS (SELECT greatest(max(version), 0) AS version FROM kept"
    " WHERE position <= %(position)b AND recorded_at <= %(recorded)b AND occurred_at <= %(effective)b), "
    "stretches AS ("
    " SELECT low, version AS high FROM kept WHERE version > (SELECT version FROM base)"
    " AND low_position <= %(position)b AND low_recorded_at <= %(recorded)b"
    " AND (effective_from <= %(effective)b OR since > low)"
    " UNION ALL SELECT version - 1, version FROM base WHERE version > 0"
    f" UNION ALL SELECT greatest(max(version), 0), {EVER} FROM kept"
    " HAVING greatest(max(position), 0) <= %(position)b AND greatest(max(recorded_at), 0) <= %(recorded)b) "
    "SELECT originator_id, version AS originator_version, topic, state,"
    " organization_id, NULL AS organization_seq, NULL AS position, occurred_at, shape, NULL FROM ledger.milestones"
    " WHERE organization_id = %(organization)b AND originator_id = %(originator)b"
    " AND version = (SELECT version FROM base)"
    " UNION ALL SELECT told.* FROM stretches, LATERAL ("
    f" SELECT {EVENT_COLUMNS} FROM ledger.events"
    " WHERE organization_id = %(organization)b AND originator_id = %(originator)b"
    " AND originator_version > stretches.low AND originator_version <= stretches.high"
    " AND position <= %(position)b AND recorded_at <= %(recorded)b"
    " ORDER BY originator_version OFFSET 0) AS told"  # or all of its events are read, and joined with the stretches
)
# Looks from id to id, however many events each has.
AGGREGATES = (
    "WITH RECURSIVE found AS ("
    " (SELECT originator_id AS id FROM ledger.events WHERE organization_id = %(organization)b"
    " AND originator_id > %(after)b ORDER BY originator_id LIMIT 1)"
    " UNION ALL SELECT (SELECT originator_id FROM ledger.events WHERE organization_id = %(organization)b"
    " AND originator_id > found.id ORDER BY originator_id LIMIT 1) FROM found WHERE found.id IS NOT NULL"
    ") SELECT id FROM found WHERE id IS NOT NULL LIMIT %(limit)b"
)
TOLD = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events"
    " WHERE organization_id = %b AND organization_seq > %b AND organization_seq <= %b ORDER BY organization_seq"
)
MENTIONING = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events"
    " WHERE organization_id = %b AND position(%b::bytea IN state) > 0 ORDER BY organization_seq"
)
KEEP_SNAPSHOT = "SELECT ledger.keep_snapshot(%b, %b, %b, %s, %b, %b, %b)"
KEEP_SNAPSHOT_WITHIN = KEEP_SNAPSHOT.replace("ledger.keep_snapshot(", "ledger.keep_snapshot_within(")
KEEP_MILESTONE = KEEP_SNAPSHOT.replace("ledger.keep_snapshot(", "ledger.keep_milestone(")
KEEP_MILESTONE_WITHIN = KEEP_SNAPSHOT.replace("ledger.keep_snapshot(", "ledger.keep_milestone_within(")
# The two-number form: its keys are never the one-number keys that the append locks.
TURN = "SELECT pg_advisory_xact_lock(uuid_hash(%b), uuid_hash(%b))"


class LedgerRecorder(PostgresApplicationRecorder):
    """Implements `services.ports.Recorder`; the doors of the library that know no organization are shut."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore, events_table_name="events")
        self._append = APPEND_WITHIN if datastore.walled else APPEND
        self._erase = ERASE_WITHIN if datastore.walled else ERASE
        self._keep_snapshot = KEEP_SNAPSHOT_WITHIN if datastore.walled else KEEP_SNAPSHOT
        self._keep_milestone = KEEP_MILESTONE_WITHIN if datastore.walled else KEEP_MILESTONE

    # Writes.

    def append(
        self,
        events: Sequence[StoredEvent],
        *,
        organization_id: UUID,
        command_id: UUID,
        step: str,
        fingerprint: bytes,
        metadata: Sequence[bytes],
        seen: Sequence[tuple[UUID, int]],
        facts: Sequence[PersonalFact],
        erasing: Sequence[UUID] = (),
    ) -> Receipt:
        for fact in facts:
            if "\0" in fact.value:
                raise UnstorableText(purpose=fact.purpose.replace("_", " "))
        arguments = (
            organization_id,
            command_id,
            step,
            fingerprint,
            Array.of_uuids(cast("UUID", event.originator_id) for event in events),
            Array.of_bigints(event.originator_version for event in events),
            Array.of("text", [event.topic.encode() for event in events]),
            Array.of("bytea", [event.state for event in events]),
            Array.of("bytea", metadata),
            Array.of_uuids(originator_id for originator_id, _ in seen),
            Array.of_bigints(version for _, version in seen),
            to_json(facts).decode() if facts else None,
        )
        with self.datastore.get_connection() as connection:
            try:
                with connection.transaction() if erasing else nullcontext():
                    row = connection.execute(self._append, arguments, prepare=True, binary=True).fetchone()
                    if erasing and not cast("tuple[Any, ...]", row)[0]:  # a repeat tells of none, and deletes none
                        connection.execute(self._erase, (organization_id, Array.of_uuids(erasing)))
            except psycopg.errors.IntegrityConstraintViolation as moved:  # exactly 23000: told by the function
                message, originator_id = moved.diag.message_primary, moved.diag.message_detail
                raise VersionConflict(cast("str", message), UUID(originator_id)) from None
        repeated, *receipt = cast("tuple[Any, ...]", row)
        if repeated:
            raise AlreadyRecorded(Receipt(*receipt))
        return Receipt(*receipt)

    def keep_snapshot(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        self._keep(self._keep_snapshot, organization_id, originator_id, snapshot)

    def keep_milestone(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        self._keep(self._keep_milestone, organization_id, originator_id, snapshot)

    def _keep(self, statement: str, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        arguments = (
            organization_id,
            originator_id,
            Int8(snapshot.version),
            snapshot.topic,
            snapshot.shape,
            snapshot.state,
            Int8((snapshot.occurred_at - EPOCH) // timedelta(microseconds=1)),
        )
        with suppress(LedgerUnavailable), self.datastore.get_connection() as connection:
            connection.execute(statement, arguments, prepare=True)

    @contextmanager
    def turn(self, organization_id: UUID, originator_id: UUID) -> Iterator[None]:
        with unavailable_is_told(), self.datastore.turns.connection() as connection, connection.transaction():
            connection.execute(TURN, (organization_id, originator_id))
            yield

    # Reads.

    def recorded(self, organization_id: UUID, command_id: UUID, step: str) -> Receipt | None:
        rows = self._rows(RECORDED, (organization_id, command_id, step))
        return Receipt(*rows[0]) if rows else None

    def load(self, organization_id: UUID, originator_id: UUID) -> tuple[Snapshot | None, list[RecordedEvent]]:
        rows = self._rows(LOAD, {"organization": organization_id, "originator": originator_id})
        snapshot = snapshot_in(rows.pop(0)) if rows and rows[0][5] is None else None
        return snapshot, [RecordedEvent(*row) for row in rows]

    def load_several(
        self, organization_id: UUID, originator_ids: Sequence[UUID]
    ) -> dict[UUID, tuple[Snapshot | None, list[RecordedEvent]]]:
        asked = {"organization": organization_id, "originators": Array.of_uuids(originator_ids)}
        streams: dict[UUID, tuple[Snapshot | None, list[RecordedEvent]]] = {}
        for row in self._rows(LOAD_SEVERAL, asked):
            if row[5] is None:
                streams[row[0]] = snapshot_in(row), []
            else:
                streams.setdefault(row[0], (None, []))[1].append(RecordedEvent(*row))
        return streams

    def load_events(self, organization_id: UUID, originator_id: UUID) -> list[RecordedEvent]:
        return [RecordedEvent(*row) for row in self._rows(LOAD_EVENTS, (organization_id, originator_id))]

    def versions(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> dict[UUID, int]:
        return dict(self._rows(VERSIONS, (Array.of_uuids(originator_ids), organization_id)))

    def load_many(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> list[RecordedEvent]:
        return [RecordedEvent(*row) for row in self._rows(LOAD_MANY, (organization_id, Array.of_uuids(originator_ids)))]

    def load_page(
        self, organization_id: UUID, after: Mapping[UUID, int], limit: int, *, without: Sequence[str] = ()
    ) -> list[RecordedEvent]:
        topics = Array.of("text", [topic.encode() for topic in without])
        seen = Array.of_uuids(after), Array.of_bigints(after.values())
        return [
            RecordedEvent(*row)
            for row in self._rows(LOAD_PAGE, (*seen, organization_id, topics, Int8(limit), Int8(limit)))
        ]

    def load_as_of(
        self, organization_id: UUID, originator_id: UUID, as_of: AsOf
    ) -> tuple[Snapshot | None, list[RecordedEvent]]:
        asked = {
            "organization": organization_id,
            "originator": originator_id,
            "position": Int8(as_of.position),
            "recorded": Int8(as_of.recorded_by),
            "effective": Int8(as_of.effective_by),
        }
        rows = self._rows(LOAD_AS_OF, asked)
        snapshot = snapshot_in(rows.pop(0)) if rows and rows[0][5] is None else None
        return snapshot, sorted((RecordedEvent(*row) for row in rows), key=attrgetter("originator_version"))

    def aggregates(self, organization_id: UUID, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        asked = {"organization": organization_id, "after": after or UUID(int=0), "limit": Int8(limit)}
        return [one for (one,) in self._rows(AGGREGATES, asked)]

    def told(self, organization_id: UUID, *, after: int, until: int) -> list[RecordedEvent]:
        return [RecordedEvent(*row) for row in self._rows(TOLD, (organization_id, Int8(after), Int8(until)))]

    def mentioning(self, organization_id: UUID, text: str) -> list[RecordedEvent]:
        return [RecordedEvent(*row) for row in self._rows(MENTIONING, (organization_id, text.encode()))]

    def _rows(self, query: str, parameters: Any) -> list[tuple[Any, ...]]:
        with self.datastore.get_connection() as connection:
            return connection.execute(query, parameters, prepare=True, binary=True).fetchall()

    # The library's doors.

    WAY_IN: ClassVar = "the ledger is written through `Ledger.save(…, because=command)` alone"
    WAY_OUT: ClassVar = "the ledger is read by organization: `Ledger.find(kind, organization_id, id)`"
    FOLLOW: ClassVar = "positions are committed out of order: read them through a `Follower`"

    def create_table(self) -> NoReturn:
        raise NotImplementedError("tables come from `seatledger migrate`")

    def insert_events(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(self.WAY_IN)

    def select_events(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(self.WAY_OUT)

    def select_notifications(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(self.FOLLOW)

    def max_notification_id(self) -> NoReturn:
        raise NotImplementedError(self.FOLLOW)

    def subscribe(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(self.FOLLOW)


def snapshot_in(row: tuple[Any, ...]) -> Snapshot:
    """The snapshot that a load carries in the columns of an event."""
    _, version, topic, state, _, _, _, occurred_at, shape, _ = row
    return Snapshot(
        topic=topic, version=version, shape=shape, state=state, occurred_at=EPOCH + timedelta(microseconds=occurred_at)
    )
