"""Prices of the catalog: those of days that have come cannot change any more, and are looked up once."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from domain.calendar import utc_date
from domain.offer import Offer, PriceFacts
from domain.refusals import OfferNotOnSale


class PriceList:
    """What offers cost. Price versions and withdrawals take effect after the day on which they are told.

    `offer_of` loads an offer; `clock` says which days have come: a simulated organization may ask about later ones.
    """

    def __init__(self, offer_of: Callable[[UUID], Offer], clock: Callable[[], datetime]) -> None:
        self._offer_of, self._clock = offer_of, clock
        self._known: dict[tuple[UUID, date], PriceFacts] = {}

    def price_for(self, offer_id: UUID, day: date) -> PriceFacts:
        """The price of a term that starts on a day; refuses an offer that is not on sale then."""
        key = offer_id, day
        if (price := self._known.get(key)) is None:
            price = self._offer_of(offer_id).price_on(day)
            if day <= utc_date(self._clock()):
                self._known[key] = price
        return price

    def price_on(self, offer_id: UUID, day: date) -> PriceFacts | None:
        """The same; None where the offer is not on sale then."""
        try:
            return self.price_for(offer_id, day)
        except OfferNotOnSale:
            return None
