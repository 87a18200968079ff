"""Quote an offer: its price today and its first term, for whoever may see prices; no card and no profile is needed."""

from datetime import date
from uuid import UUID

from pydantic import Field

from domain.calendar import Period, term, utc_date
from domain.kernel import Value
from domain.license_pool import refuse_total
from domain.offer import PriceFacts
from services.command import Actor
from services.ledger import Ledger
from services.may import may


class QuoteOffer(Value):
    actor: Actor
    offer_id: UUID
    licenses: int = Field(ge=1, le=1_000_000)


class OfferQuoted(Value):
    """The price facts that a purchase now would carry, and the first term it would open."""

    price: PriceFacts
    licenses: int
    amount_minor: int  # of one billing period, before tax
    anchor: date
    term: Period


def quote_offer(ledger: Ledger, query: QuoteOffer) -> OfferQuoted:
    """Uses the same code as the purchase."""
    may(query.actor, "see prices")
    anchor = utc_date(ledger.now())
    price = ledger.offer(query.offer_id).price_on(anchor)
    refuse_total(query.licenses, price)
    return OfferQuoted(
        price=price,
        licenses=query.licenses,
        amount_minor=query.licenses * price.unit_price_minor,
        anchor=anchor,
        term=term(anchor, price.term, 0),
    )
