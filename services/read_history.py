"""Read history: the events of one thing, for those who audit."""

from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import Value
from domain.organization import CATALOG
from domain.refusals import NotAllowed, NotFound
from domain.subscription import Subscription
from services.command import Actor
from services.ledger import Ledger
from services.may import HOUSE, may, standing_of


class ReadHistory(Value):
    organization_id: UUID
    actor: Actor
    aggregate_id: UUID


def may_audit(ledger: Ledger, query: ReadHistory) -> None:
    """An organization's auditors read its history; the catalog's is the house's own."""
    may(query.actor, "audit")
    if query.organization_id != CATALOG:
        standing_of(ledger, query)
    elif query.actor.role not in HOUSE:
        raise NotAllowed(action="audit the catalog", remedy="ask an operator")


def read_stream(ledger: Ledger, query: ReadHistory) -> list[RecordedEvent]:
    """The events of one aggregate, oldest first."""
    may_audit(ledger, query)
    if events := ledger.history.load_events(query.organization_id, query.aggregate_id):
        return events
    raise NotFound(what="history of", key=query.aggregate_id)


def read_history(ledger: Ledger, query: ReadHistory) -> list[RecordedEvent]:
    """The events of one aggregate in the order they were recorded; a subscription's with those of its pool."""
    events = read_stream(ledger, query)
    if (found := ledger.find(Subscription, query.organization_id, query.aggregate_id)) is not None:
        events = events + ledger.history.load_events(query.organization_id, found.pool_id)
    return sorted(events, key=lambda event: event.organization_seq)
