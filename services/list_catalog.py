"""List the catalog: products, and the offers of each."""

from datetime import date
from uuid import UUID

from domain.kernel import Aggregate, Value, replay
from domain.offer import Offer, OfferTerms, PriceFacts, PriceVersion
from domain.organization import CATALOG
from domain.product import Product, ProductFacts
from domain.refusals import OfferNotOnSale
from services.command import Actor
from services.ledger import Ledger
from services.may import may

ALL = 2**62


class OfferListed(Value):
    """An offer; `price` is that of a term which starts on the asked day, none when it is not on sale."""

    offer_id: UUID
    terms: OfferTerms
    prices: tuple[PriceVersion, ...]
    withdrawn_on: date | None
    price: PriceFacts | None


class ProductListed(Value):
    product: ProductFacts
    offers: tuple[OfferListed, ...]


def list_catalog(ledger: Ledger, actor: Actor, on: date) -> list[ProductListed]:
    """Reads the catalog's whole history: it is short, and there is one catalog."""
    may(actor, "see prices")
    streams: dict[object, list[object]] = {}
    for event in ledger.history.told(CATALOG, after=0, until=ALL):
        streams.setdefault(event.originator_id, []).append(ledger.mapper.to_domain_event(event))
    told: list[Aggregate | None] = [replay(events) for events in streams.values()]  # type: ignore[arg-type]
    offers = [offer_listed(offer, on) for offer in told if isinstance(offer, Offer)]
    return [
        ProductListed(
            product=product.product,
            offers=tuple(offer for offer in offers if offer.terms.product_id == product.product.product_id),
        )
        for product in sorted((p for p in told if isinstance(p, Product)), key=lambda p: p.product.name.lower())
    ]


def offer_listed(offer: Offer, on: date) -> OfferListed:
    try:
        price = offer.price_on(on)
    except OfferNotOnSale:
        price = None
    return OfferListed(
        offer_id=offer.id,
        terms=offer.terms,
        prices=tuple(offer.prices),
        withdrawn_on=offer.withdrawn_on,
        price=price,
    )
