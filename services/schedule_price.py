"""Schedule a price: what an offer costs from a day after today on."""

from datetime import date
from uuid import UUID

from pydantic import Field

from domain.calendar import utc_date
from services.command import CatalogCommand
from services.ledger import Ledger, operation
from services.may import may
from services.ports import Receipt


class SchedulePrice(CatalogCommand):
    """Without a price, the version that would take effect on that day is withdrawn."""

    offer_id: UUID
    effective_on: date
    unit_price_minor: int | None = Field(ge=0)


@operation
def schedule_price(ledger: Ledger, command: SchedulePrice) -> Receipt:
    """Terms that start on that day or later are charged at it; running terms keep theirs."""
    may(command.actor, "manage the catalog")
    offer = ledger.offer(command.offer_id)
    at = ledger.now(offer)
    if command.unit_price_minor is None:
        offer.withdraw_price(effective_on=command.effective_on, today=utc_date(at))
    else:
        offer.schedule_price(command.unit_price_minor, effective_on=command.effective_on, today=utc_date(at))
    return ledger.save(offer, because=command, at=at)
