"""Read an organization: everything that happened in it, in order, for those who audit."""

from collections.abc import Iterator
from uuid import UUID

from pydantic import Field

from domain.envelope import RecordedEvent
from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.ports_reads import PAGE
from services.read_history import HistoryPage, may_audit

AT_ONCE = 1_000  # events in memory


class ReadOrganization(Value):
    organization_id: UUID
    actor: Actor


class ReadTimeline(ReadOrganization):
    """A page, after the `organization_seq` of an event."""

    after: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=PAGE, ge=1, le=PAGE)


def read_organization(ledger: Ledger, query: ReadOrganization) -> Iterator[RecordedEvent]:
    """All of it, streaming; what is refused is refused before the first event is asked for."""
    may_audit(ledger, query)
    return every(ledger, query.organization_id)


def every(ledger: Ledger, organization_id: UUID) -> Iterator[RecordedEvent]:
    """The organization's events, oldest first, as they stand when each is read."""
    after = 0
    while page := ledger.history.told(organization_id, after=after, until=after + AT_ONCE):
        yield from page
        after = page[-1].organization_seq


def read_timeline(ledger: Ledger, query: ReadTimeline) -> HistoryPage:
    """A page of it: what a page costs does not depend on how long the history is."""
    may_audit(ledger, query)
    page = ledger.history.told(query.organization_id, after=query.after, until=query.after + query.limit + 1)
    events = page[: query.limit]
    return HistoryPage(events, (events[-1].organization_seq,) if len(page) > query.limit else None)
