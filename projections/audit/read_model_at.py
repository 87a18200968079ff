"""A read model as of a moment: its projection's own fold, over an organization's events, into rows in memory."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper
from projections.projection import Key, Projection, R, Rows, Table


class MemoryRows(Rows):
    """All rows there are: what was never put is not there."""

    def get(self, table: Table[R], key: Key) -> R | None:
        return cast("R | None", self._now[table].get(key))

    def of(self, table: Table[R]) -> list[R]:
        """The rows of a table, by their keys."""
        found: list[R] = [row for row in self._now[table].values() if row is not None]
        return sorted(found, key=table.key_of)


def read_model_at(
    projection: Projection, events: Iterable[RecordedEvent], mapper: PydanticMapper, as_of: AsOf
) -> dict[str, list[Any]]:
    """The rows of each table, from one organization's events in order; no table of the database is touched."""
    rows = MemoryRows()
    topics = {cast("Any", event).TOPIC for event in projection.topics}
    for event in known(events, as_of):
        if event.topic in topics and as_of.counts(event):
            projection.fold(rows, event, mapper.to_domain_event(event))
    return {table.name: rows.of(table) for table in projection.tables}


def known(events: Iterable[RecordedEvent], as_of: AsOf) -> Iterator[RecordedEvent]:
    """Those that stood in history then; reads no further than to the first that did not."""
    for event in events:
        if not as_of.knows(event):
            return
        yield event
