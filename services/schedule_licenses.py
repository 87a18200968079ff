"""Schedule: the total of licenses from the next renewal on, or none any more."""

from uuid import UUID

from pydantic import Field

from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class ScheduleLicenses(Command):
    """The absolute `total` at renewal; without one, the scheduled change is withdrawn."""

    subscription_id: UUID
    total: int | None = Field(ge=0, le=1_000_000)


@operation
def schedule_licenses(ledger: Ledger, command: ScheduleLicenses, till: Till) -> Receipt:
    """Replaces an earlier scheduled change; an immediate resize leaves it as it is."""
    purchase = purchase_of(ledger, till, command, "change licenses")
    if command.total is None:
        purchase.subscription.withdraw_scheduled_licenses()
    else:
        purchase.subscription.schedule_licenses(command.total)
    return ledger.save(*purchase.told, seen=purchase.seen, because=command, at=purchase.at)
