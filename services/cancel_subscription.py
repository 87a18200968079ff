"""Cancel: now, within the window, or at the end of the term; with a reason and, if the user likes, feedback."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.personal import FactRef
from domain.subscription import CancelReason
from services.billing import give_back
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.life_cycle import see_books_through
from services.ports import Receipt
from services.purchase import Purchase, purchase_of
from services.till import Till


class CancelSubscription(Command):
    """The feedback is a personal fact: it can be forgotten without a trace in history."""

    subscription_id: UUID
    when: Literal["now", "term_end"]
    reason: CancelReason
    feedback: Text | None = Field(default=None, min_length=1, max_length=2_000, repr=False)


@operation
def cancel_subscription(ledger: Ledger, command: CancelSubscription, till: Till) -> Receipt:
    """Now: access ends, the pool closes, and what is unused is credited. At term end: it does not renew."""
    purchase = purchase_of(ledger, till, command, "cancel")
    facts = [
        ledger.fact(command, "feedback", subject_id=command.actor.id, purpose="feedback", value=text)
        for text in filter(None, [command.feedback])
    ]
    feedback = facts[0].ref if facts else None
    if command.when == "now":
        cancel_now(till, command, purchase, feedback=feedback)
    else:
        purchase.subscription.cancel_at_term_end(
            reason=command.reason, feedback=feedback, licenses=purchase.pool.total, at=purchase.at
        )
    told = purchase.told  # a repeated cancellation leaves no second feedback behind
    receipt = ledger.save(*told, seen=purchase.seen, facts=facts if told else [], because=command, at=purchase.at)
    see_books_through(ledger, till, purchase.books, causation_id=command.command_id)
    return receipt


def cancel_now(till: Till, command: CancelSubscription, purchase: Purchase, *, feedback: FactRef | None) -> None:
    """Takes all licenses back."""
    subscription, pool, at = purchase.subscription, purchase.pool, purchase.at
    subscription.refuse_cancellation_now(removable_now=pool.removable_now(at), at=at)
    given = give_back(purchase.books, till, subscription, pool.all_batches(), reason="cancelled", at=at)
    subscription.cancel(
        when="now",
        reason=command.reason,
        feedback=feedback,
        licenses=pool.total,
        credit_note_ids=given.credit_note_ids,
        at=at,
    )
    pool.close("cancelled")
