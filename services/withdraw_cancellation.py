"""Withdraw a cancellation at term end: the subscription renews again."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class WithdrawCancellation(Command):
    subscription_id: UUID


@operation
def withdraw_cancellation(ledger: Ledger, command: WithdrawCancellation) -> Receipt:
    """Possible until the term has ended; recurring billing is on again."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "cancel", subscription)
    subscription.withdraw_cancellation()
    return ledger.save(subscription, seen=standing.seen, because=command, at=ledger.now(subscription))
