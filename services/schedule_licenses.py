"""Schedule: the total of licenses from the next renewal on, or none any more."""

from uuid import UUID

from pydantic import Field

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class ScheduleLicenses(Command):
    """The absolute `total` at renewal; without one, the scheduled change is withdrawn."""

    subscription_id: UUID
    total: int | None = Field(ge=0, le=1_000_000)


@operation
def schedule_licenses(ledger: Ledger, command: ScheduleLicenses) -> Receipt:
    """Replaces an earlier scheduled change; an immediate resize leaves it as it is."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "change licenses", subscription)
    if command.total is None:
        subscription.withdraw_scheduled_licenses()
    else:
        subscription.schedule_licenses(command.total)
    return ledger.save(subscription, seen=standing.seen, because=command, at=ledger.now(subscription))
