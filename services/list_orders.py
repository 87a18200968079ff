"""List orders: how a purchase came to be what it is, without who got its licenses; a page at a time."""

from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from domain.envelope import RecordedEvent
from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.ports_reads import PAGE, PurchaseViews
from services.show_purchase import ASSIGNMENTS, purchase_seen


class OrderCursor(NamedTuple):
    """The place after which the next page starts: the versions that were seen."""

    subscription_version: int
    pool_version: int


class ListOrders(Value):
    """A page of the history of a subscription and its pool."""

    organization_id: UUID
    actor: Actor
    subscription_id: UUID
    after: OrderCursor = OrderCursor(0, 0)
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


class OrderPage(NamedTuple):
    """Events in the order they were recorded, and where the next page starts; None: there is no more."""

    events: list[RecordedEvent]
    following: OrderCursor | None


def list_orders(ledger: Ledger, views: PurchaseViews, query: ListOrders) -> OrderPage:
    """Oldest first, for who may see the purchase."""
    row = purchase_seen(ledger, views, query)
    seen = dict(zip((row.subscription_id, row.pool_id), query.after, strict=True))
    found = ledger.history.load_page(query.organization_id, seen, query.limit + 1, without=ASSIGNMENTS)
    page = found[: query.limit]
    seen |= {event.originator_id: event.originator_version for event in page}
    return OrderPage(page, OrderCursor(*seen.values()) if len(found) > query.limit else None)
