"""Recurring billing: whether the subscription renews when its term ends."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class SetRecurringBilling(Command):
    subscription_id: UUID
    on: bool


@operation
def set_recurring_billing(ledger: Ledger, command: SetRecurringBilling, till: Till) -> Receipt:
    """Turning it off drops a scheduled change; turning it on withdraws a cancellation at term end.

    An offer that is withdrawn by then does not renew.
    """
    purchase = purchase_of(ledger, till, command, "cancel")
    subscription = purchase.subscription
    if not command.on:
        subscription.turn_recurring_billing_off()
    else:
        if not subscription.recurring_billing:
            ledger.offer(subscription.price.offer_id).refuse_when_withdrawn(subscription.term.end)
        subscription.turn_recurring_billing_on()
    return ledger.save(*purchase.told, seen=purchase.seen, because=command, at=purchase.at)
