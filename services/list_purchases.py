"""List purchases: the admins' read-only view of all of them, and everybody's view of their own."""

from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports_reads import PAGE, PurchaseCursor, PurchaseFilter, PurchasePage, PurchaseViews


class ListPurchases(Value):
    """A page of the purchases that the filter lets through, read at `at_least` this position."""

    organization_id: UUID
    actor: Actor
    where: PurchaseFilter = PurchaseFilter()
    after: PurchaseCursor | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


def list_purchases(ledger: Ledger, views: PurchaseViews, query: ListPurchases) -> PurchasePage:
    """Who is a purchaser only sees their own, whatever the filter asks."""
    standing_seen(ledger, query)
    may(query.actor, "list purchases")
    where = query.where
    if query.actor.role == "purchaser":
        where = where.model_copy(update={"purchaser_id": query.actor.id})
    return views.list(query.organization_id, where, after=query.after, limit=query.limit, at_least=query.at_least)
