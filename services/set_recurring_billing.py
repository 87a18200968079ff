"""Recurring billing: whether the subscription renews when its term ends."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class SetRecurringBilling(Command):
    subscription_id: UUID
    on: bool


@operation
def set_recurring_billing(ledger: Ledger, command: SetRecurringBilling) -> Receipt:
    """Turning it off drops a scheduled change; turning it on withdraws a cancellation at term end."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "cancel", subscription)
    if command.on:
        subscription.turn_recurring_billing_on()
    else:
        subscription.turn_recurring_billing_off()
    return ledger.save(subscription, seen=standing.seen, because=command, at=ledger.now(subscription))
