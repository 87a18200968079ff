"""Withdraw a cancellation at term end: the subscription renews again."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class WithdrawCancellation(Command):
    subscription_id: UUID


@operation
def withdraw_cancellation(ledger: Ledger, command: WithdrawCancellation, till: Till) -> Receipt:
    """Possible until the term has ended; recurring billing is on again."""
    purchase = purchase_of(ledger, till, command, "cancel")
    purchase.subscription.withdraw_cancellation()
    return ledger.save(*purchase.told, seen=purchase.seen, because=command, at=purchase.at)
