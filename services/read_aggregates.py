"""Read aggregates: the whole history of each thing in an organization, some things at a time, for those who audit."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from domain.envelope import RecordedEvent
from services.ledger import Ledger
from services.ports_reads import PAGE
from services.read_history import may_audit
from services.read_organization import ReadOrganization


class ReadAggregates(ReadOrganization):
    """A page, after an aggregate."""

    after: UUID | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)


class AggregatesPage(NamedTuple):
    """The events of each aggregate, oldest first, and the last one where another page follows."""

    streams: list[list[RecordedEvent]]
    following: UUID | None


def read_aggregates(ledger: Ledger, query: ReadAggregates) -> AggregatesPage:
    """In the order of their ids."""
    may_audit(ledger, query)
    return page_of_aggregates(ledger, query)


def page_of_aggregates(ledger: Ledger, query: ReadAggregates) -> AggregatesPage:
    """The same, for who was asked already."""
    ids = ledger.history.aggregates(query.organization_id, after=query.after, limit=query.limit + 1)
    events = ledger.history.load_many(query.organization_id, list(ids[: query.limit]))
    streams = [list(stream) for _, stream in groupby(events, key=attrgetter("originator_id"))]
    return AggregatesPage(streams, ids[query.limit - 1] if len(ids) > query.limit else None)


def read_all_aggregates(ledger: Ledger, query: ReadOrganization) -> Iterator[list[RecordedEvent]]:
    """Those of all pages, streaming; what is refused is refused before the first one is asked for."""
    may_audit(ledger, query)
    return all_streams(ledger, ReadAggregates(organization_id=query.organization_id, actor=query.actor))


def all_streams(ledger: Ledger, query: ReadAggregates) -> Iterator[list[RecordedEvent]]:
    while True:
        page = page_of_aggregates(ledger, query)
        yield from page.streams
        if page.following is None:
            return
        query = query.model_copy(update={"after": page.following})
