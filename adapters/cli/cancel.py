"""cancel, withdraw-cancellation, recurring."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from adapters.catalog.currency import money
from adapters.cli.answer import Answer, plural
from adapters.cli.billed import Billed
from adapters.cli.call import Call
from adapters.cli.find import find_subscription
from adapters.cli.groups import root
from adapters.cli.licenses import SubscriptionArgument
from adapters.cli.verb import verb
from domain.subscription import CancelReason, Subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.set_recurring_billing import SetRecurringBilling, set_recurring_billing
from services.withdraw_cancellation import WithdrawCancellation, withdraw_cancellation


@verb(root, "cancel", role="purchaser", command=True)
def cancel(
    call: Call,
    subscription: SubscriptionArgument,
    when: Annotated[Literal["now", "term_end"], typer.Option(help="now: within 7 days of purchase or renewal.")],
    reason: Annotated[CancelReason, typer.Option(help="Why.")],
    feedback: Annotated[
        str | None, typer.Option(metavar="TEXT", help="In your own words, up to 2,000 characters; can be forgotten.")
    ] = None,
) -> Answer:
    """Cancels: now, which ends access and closes the pool, or at the end of the term, which can be withdrawn.

    The answer says what is refunded, to which card, and what is still due or owed.

    Example: `seatledger cancel 1c9e5a02 --when now --reason project_ended --feedback "Thank you"`
    """
    fields = {"feedback": feedback} if feedback is not None else {}
    subscription_id = find_subscription(call, subscription)
    command = call.wish(CancelSubscription, subscription_id=subscription_id, when=when, reason=reason, **fields)
    receipt = cancel_subscription(call.house.ledger, command, call.till)
    told = call.house.ledger.told(call.organization_id, receipt)
    said = f"subscription {subscription_id} is cancelled: it was so before"
    for event in told:
        if isinstance(event, Subscription.SubscriptionCancelled):
            said = f"subscription {subscription_id} ended on {event.ended_on}, with {plural(event.licenses, 'license')}"
        elif isinstance(event, Subscription.CancellationScheduled):
            owed = money(event.still_owed_minor, event.currency)
            said = (
                f"subscription {subscription_id} ends after {event.ends_on}; still owed for its term: {owed} before tax"
            )
    billed = Billed(call, told)
    return call.answer(receipt, "\n".join([said, *billed.lines]), subscription_id=subscription_id, **billed.data)


@verb(root, "withdraw-cancellation", role="purchaser", command=True)
def withdraw(call: Call, subscription: SubscriptionArgument) -> Answer:
    """Takes a cancellation at term end back, as long as the term runs.

    Example: `seatledger withdraw-cancellation 1c9e5a02 --org contoso --as chris@contoso.com`
    """
    subscription_id = find_subscription(call, subscription)
    command = call.wish(WithdrawCancellation, subscription_id=subscription_id)
    receipt = withdraw_cancellation(call.house.ledger, command, call.till)
    return call.answer(receipt, f"subscription {subscription_id} is not cancelled", subscription_id=subscription_id)


@verb(root, "recurring", role="purchaser", command=True)
def recurring(
    call: Call,
    subscription: SubscriptionArgument,
    state: Annotated[Literal["on", "off"], typer.Argument(help="on or off.")],
) -> Answer:
    """Turns recurring billing on or off: whether the subscription renews when its term ends.

    Example: `seatledger recurring 1c9e5a02 off --org contoso --as chris@contoso.com`
    """
    subscription_id = find_subscription(call, subscription)
    command = call.wish(SetRecurringBilling, subscription_id=subscription_id, on=state == "on")
    receipt = set_recurring_billing(call.house.ledger, command, call.till)
    found = call.house.ledger.subscription(call.organization_id, subscription_id)
    said = f"renews on {found.term.end}" if found.recurring_billing else f"ends after {found.term.ends_on}"
    return call.answer(receipt, f"subscription {subscription_id} {said}", subscription_id=subscription_id)
