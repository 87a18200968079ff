"""Cancel: now, within the window, or at the end of the term; with a reason and, if the user likes, feedback."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.subscription import CancelReason
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class CancelSubscription(Command):
    """The feedback is a personal fact: it can be forgotten without a trace in history."""

    subscription_id: UUID
    when: Literal["now", "term_end"]
    reason: CancelReason
    feedback: Text | None = Field(default=None, min_length=1, max_length=2_000, repr=False)


@operation
def cancel_subscription(ledger: Ledger, command: CancelSubscription) -> Receipt:
    """Now: access ends and the pool closes. At term end: it does not renew, which can be taken back until then."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "cancel", subscription)
    pool = ledger.license_pool(command.organization_id, subscription.pool_id)
    at = ledger.now(subscription, pool)
    facts = [
        ledger.fact(command, "feedback", subject_id=command.actor.id, purpose="feedback", value=text)
        for text in filter(None, [command.feedback])
    ]
    feedback = facts[0].ref if facts else None
    if command.when == "term_end":
        subscription.cancel_at_term_end(reason=command.reason, feedback=feedback, licenses=pool.total, at=at)
    else:
        subscription.cancel_now(
            reason=command.reason,
            feedback=feedback,
            licenses=pool.total,
            removable_now=pool.removable_now(at),
            at=at,
        )
        pool.close("cancelled")
    told = bool(subscription.pending_events)  # a repeated cancellation leaves no second feedback behind
    return ledger.save(subscription, pool, seen=standing.seen, facts=facts if told else [], because=command, at=at)
