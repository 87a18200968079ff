"""Histories without a database: aggregates tell, and each event gets its place."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.envelope import Envelope, RecordedEvent
from domain.kernel import Aggregate, PydanticJSON, PydanticMapper
from projections.projection import Key, Projection, Rows, Table
from tests.examples import CHRIS, PURCHASED_AT, an_id

CONTOSO_ID = an_id(41)
MAPPER = PydanticMapper(PydanticJSON())


class History:
    """What one organization's aggregates have told, in order."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []

    def tell(self, *aggregates: Aggregate, at: datetime = PURCHASED_AT) -> None:
        """Records what the aggregates have pending."""
        for aggregate in aggregates:
            for event in aggregate.collect_events():
                self._record(event, at)

    def _record(self, event: Any, at: datetime) -> None:
        stored = MAPPER.to_stored_event(event)
        seq = len(self.events) + 1
        envelope = Envelope(
            actor_id=CHRIS,
            actor_role="purchaser",
            on_behalf_of=None,
            command="tell",
            command_id=an_id(seq),
            step="",
            index=0,
            count=1,
            correlation_id=an_id(seq),
            causation_id=None,
            occurred_at=at,
            effective_at=at,
        )
        self.events.append(
            RecordedEvent(
                event.originator_id,
                stored.originator_version,
                stored.topic,
                stored.state,
                organization_id=CONTOSO_ID,
                organization_seq=seq,
                position=10 * seq,
                recorded_at=0,
                metadata=envelope.model_dump_json().encode(),
                chain_hash=b"",
            )
        )


class ReadModel:
    """A projection's tables in memory, folded as the projector folds them: read what is touched, fold, write."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.topics = {event.TOPIC for event in projection.topics}
        self.tables: dict[Table[Any], dict[Key, Any]] = {table: {} for table in projection.tables}

    def fold(self, batch: Iterable[RecordedEvent]) -> "ReadModel":
        mine = [(recorded, MAPPER.to_domain_event(recorded)) for recorded in batch if recorded.topic in self.topics]
        rows = Rows()
        for recorded, event in mine:
            for table, key in self.projection.touched(recorded, event):
                found = self.tables[table].get(key)
                rows.have_read(table, [key], [found] if found else [])
        for recorded, event in mine:
            self.projection.fold(rows, recorded, event)
        for table, kept in self.tables.items():
            changes = rows.changes(table)
            for row in changes.inserted:
                assert table.key_of(row) not in kept  # it would break the table's key
                kept[table.key_of(row)] = row
            for row in changes.updated:
                kept[table.key_of(row)] = row
            for key in changes.deleted:
                del kept[key]
        return self

    def __getitem__(self, table: Table[Any]) -> Sequence[Any]:
        return list(self.tables[table].values())

    def one(self, table: Table[Any], *key: UUID | str) -> Any:
        return self.tables[table].get((CONTOSO_ID, *key))
