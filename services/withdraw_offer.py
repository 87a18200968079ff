"""Withdraw an offer from a day after today on, or take the withdrawal back before it takes effect."""

from datetime import date
from uuid import UUID

from domain.calendar import utc_date
from services.command import CatalogCommand
from services.ledger import Ledger, operation
from services.may import may
from services.ports import Receipt


class WithdrawOffer(CatalogCommand):
    """`withdrawn_on` is the first day without the offer; without one, the withdrawal is revoked."""

    offer_id: UUID
    withdrawn_on: date | None


@operation
def withdraw_offer(ledger: Ledger, command: WithdrawOffer) -> Receipt:
    """A withdrawn offer is not sold and does not renew; running terms go on."""
    may(command.actor, "manage the catalog")
    offer = ledger.offer(command.offer_id)
    at = ledger.now(offer)
    if command.withdrawn_on is None:
        offer.revoke_withdrawal(today=utc_date(at))
    else:
        offer.withdraw(withdrawn_on=command.withdrawn_on, today=utc_date(at))
    return ledger.save(offer, because=command, at=at)
