"""List the catalog: products, and the offers of each."""

import threading
from datetime import date
from typing import Any, cast
from uuid import UUID

from domain.kernel import Aggregate, Value, replay
from domain.offer import Offer, OfferTerms, PriceFacts, PriceVersion
from domain.organization import CATALOG
from domain.product import Product, ProductFacts
from domain.refusals import NotFound, OfferNotOnSale
from services.command import Actor
from services.ledger import Ledger
from services.may import HOUSE, may, standing_seen

ALL = 2**62
KEPT_DAYS = 8


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


class SeePrices(Value):
    """Somebody wants to look into the catalog; `organization_id` is the caller's own, for the house's own any."""

    organization_id: UUID
    actor: Actor


def may_see_prices(ledger: Ledger, wish: SeePrices) -> None:
    """Refuses who may not, and who is no member of their organization any more: the catalog belongs to another one."""
    may(wish.actor, "see prices")
    if wish.actor.role not in HOUSE:
        standing_seen(ledger, wish)


def list_catalog(ledger: Ledger, actor: Actor, on: date) -> list[ProductListed]:
    """Reads the catalog's whole history: it is short, and there is one catalog."""
    may(actor, "see prices")
    return Catalog(ledger).listed(on)


class Catalog:
    """The catalog for many looks: what was read is kept, and each look reads only what was told since. Thread-safe."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._told: dict[UUID, Aggregate | None] = {}
        self._until = 0  # the organization_seq up to which it was read
        self._listed: dict[date, list[ProductListed]] = {}

    def listed(self, on: date) -> list[ProductListed]:
        """Products by name, each with its offers at the price of a day; the permission is the caller's to ask for."""
        with self._lock:
            self._read_on()
            if (found := self._listed.get(on)) is None:
                if len(self._listed) >= KEPT_DAYS:
                    self._listed.clear()
                found = self._listed[on] = self._on(on)
            return found

    def offer(self, offer_id: UUID, on: date) -> tuple[ProductListed, OfferListed]:
        """An offer with its product; refuses where there is no such one."""
        for product in self.listed(on):
            for offer in product.offers:
                if offer.offer_id == offer_id:
                    return product, offer
        raise NotFound(what="offer", key=offer_id)

    def _read_on(self) -> None:
        """An organization's events are recorded in their order: behind the last one that was read stand all others."""
        for event in self._ledger.history.told(CATALOG, after=self._until, until=ALL):
            told = self._ledger.mapper.to_domain_event(event)
            self._told[event.originator_id] = replay([cast("Any", told)], self._told.get(event.originator_id))
            self._until = event.organization_seq
            self._listed.clear()

    def _on(self, day: date) -> list[ProductListed]:
        offers: dict[str, list[OfferListed]] = {}
        for offer in self._told.values():
            if isinstance(offer, Offer):
                offers.setdefault(offer.terms.product_id, []).append(offer_listed(offer, day))
        products = [one.product for one in self._told.values() if isinstance(one, Product)]
        return [
            ProductListed(product=product, offers=tuple(offers.get(product.product_id, ())))
            for product in sorted(products, key=lambda product: (product.name.lower(), product.product_id))
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
