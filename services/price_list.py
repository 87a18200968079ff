"""Prices of the catalog on days that have come: they cannot change any more, so each is looked up once."""

from datetime import date
from uuid import UUID

from domain.offer import Offer, PriceFacts
from domain.refusals import OfferNotOnSale
from services.ledger import Ledger


class PriceList:
    """What offers cost. Price versions and withdrawals take effect after the day on which they are told."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._offers: dict[UUID, Offer] = {}
        self._prices: dict[tuple[UUID, date], PriceFacts | None] = {}

    def price_on(self, offer_id: UUID, day: date) -> PriceFacts | None:
        """The price of a term that starts on a day that has come; None: the offer is withdrawn."""
        key = offer_id, day
        if key not in self._prices:
            if offer_id not in self._offers:
                self._offers[offer_id] = self._ledger.offer(offer_id)
            try:
                self._prices[key] = self._offers[offer_id].price_on(day)
            except OfferNotOnSale:
                self._prices[key] = None
        return self._prices[key]
