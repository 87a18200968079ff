"""Cancel another member's purchase, as an admin, at any time; outside the window the current cycle is not refunded."""

from typing import Literal
from uuid import UUID

from domain.subscription import CancelReason
from services.billing import give_back
from services.command import Command
from services.ledger import Ledger, operation
from services.life_cycle import see_books_through
from services.ports import Receipt
from services.purchase import Purchase, purchase_of
from services.till import Till


class CancelTakenOver(Command):
    subscription_id: UUID
    reason: CancelReason


@operation
def cancel_taken_over(ledger: Ledger, command: CancelTakenOver, till: Till) -> Receipt:
    """Access ends at once."""
    purchase = purchase_of(ledger, till, command, "take over")
    end_taken_over(till, purchase, reason=command.reason, close="taken_over")
    receipt = ledger.save(*purchase.told, seen=purchase.seen, because=command, at=purchase.at)
    see_books_through(ledger, till, purchase.books, causation_id=command.command_id)
    return receipt


def end_taken_over(till: Till, purchase: Purchase, *, reason: CancelReason, close: Literal["taken_over"]) -> None:
    """Ends a purchase that an admin took over, with what the window still gives back."""
    subscription, pool, at = purchase.subscription, purchase.pool, purchase.at
    subscription.refuse_unless("take over")
    taken = pool.all_batches() if at < subscription.cancellable_until else []
    given = give_back(purchase.books, till, subscription, taken, reason="cancelled", at=at)
    subscription.cancel(
        when="taken_over",
        reason=reason,
        feedback=None,
        licenses=pool.total,
        credit_note_ids=given.credit_note_ids,
        at=at,
    )
    pool.close(close)
