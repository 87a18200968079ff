"""List orders: how a purchase came to be what it is, without who got its licenses; a page at a time."""

from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.ports_reads import PAGE, PurchaseViews
from services.read_history import HistoryPage, page_of
from services.show_purchase import ASSIGNMENTS, purchase_seen


class ListOrders(Value):
    """`after` is where the page before ended: the versions of the subscription and of its pool."""

    organization_id: UUID
    actor: Actor
    subscription_id: UUID
    after: tuple[int, ...] = Field(default=(), max_length=2)
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


def list_orders(ledger: Ledger, views: PurchaseViews, query: ListOrders) -> HistoryPage:
    """Oldest first, for who may see the purchase."""
    row = purchase_seen(ledger, views, query)
    return page_of(ledger, query, [row.subscription_id, row.pool_id], without=ASSIGNMENTS)
