"""My products: what the caller bought, with the licenses of each product summed."""

from collections.abc import Sequence
from uuid import UUID

from domain.kernel import Value
from domain.subscription import Channel
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports_reads import ProductLicenses, PurchaseFilter, PurchaseViews


class ListMyProducts(Value):
    organization_id: UUID
    actor: Actor
    channel: Channel | None = None
    at_least: int = 0


def list_my_products(ledger: Ledger, views: PurchaseViews, query: ListMyProducts) -> Sequence[ProductLicenses]:
    """Sums over the subscriptions that give access or can be taken up again."""
    standing_seen(ledger, query)
    may(query.actor, "list purchases")
    where = PurchaseFilter(channel=query.channel, purchaser_id=query.actor.id)
    return views.licenses_by_product(query.organization_id, where, at_least=query.at_least)
