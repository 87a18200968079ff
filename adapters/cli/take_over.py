"""take-over: adopt, move, cancel."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer
from adapters.cli.billed import Billed
from adapters.cli.call import Call
from adapters.cli.find import find_subscription
from adapters.cli.find_billing import ProfileOption, profile_fields
from adapters.cli.groups import take_overs
from adapters.cli.licenses import SubscriptionArgument
from adapters.cli.verb import verb
from domain.subscription import CancelReason, TakeOverReason
from services.adopt_subscription import AdoptSubscription, adopt_subscription
from services.cancel_taken_over import CancelTakenOver, cancel_taken_over
from services.move_users import MoveUsers, move_users

ReasonOption = Annotated[CancelReason, typer.Option(help="Why.")]


@verb(take_overs, "adopt", role="admin", roles=False, command=True)
def adopt(
    call: Call,
    subscription: SubscriptionArgument,
    reason: Annotated[TakeOverReason, typer.Option(help="Why.")],
    *,
    profile: ProfileOption = None,
) -> Answer:
    """Makes a member's purchase a central one, billed on a profile of yours from now on; holders keep their licenses.

    Example: `seatledger take-over adopt 1c9e5a02 --reason purchaser_left --org contoso --as chris@contoso.com`
    """
    subscription_id = find_subscription(call, subscription)
    command = call.wish(
        AdoptSubscription, subscription_id=subscription_id, reason=reason, **profile_fields(call, profile)
    )
    receipt = adopt_subscription(call.house.ledger, command, call.till)
    return call.answer(receipt, f"subscription {subscription_id} is central", subscription_id=subscription_id)


@verb(take_overs, "move", role="admin", roles=False, command=True)
def move(
    call: Call,
    subscription: SubscriptionArgument,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A central subscription to the same product, with free licenses.")
    ],
    reason: ReasonOption = "other",
) -> Answer:
    """Gives everybody who holds a license of a member's purchase one of a central one, and cancels the purchase.

    Example: `seatledger take-over move 1c9e5a02 77b0c1de --org contoso --as chris@contoso.com`
    """
    subscription_id, target_id = find_subscription(call, subscription), find_subscription(call, target)
    command = call.wish(MoveUsers, subscription_id=subscription_id, target_id=target_id, reason=reason)
    receipt = move_users(call.house.ledger, command, call.till)
    billed = Billed(call, call.house.ledger.told(call.organization_id, receipt))
    said = f"the users of subscription {subscription_id} hold licenses of {target_id}; it is cancelled"
    return call.answer(
        receipt,
        "\n".join([said, *billed.lines]),
        subscription_id=subscription_id,
        target_id=target_id,
        **billed.data,
    )


@verb(take_overs, "cancel", role="admin", roles=False, command=True)
def cancel(call: Call, subscription: SubscriptionArgument, reason: ReasonOption) -> Answer:
    """Cancels a member's purchase at once, at any time; outside its 7 days the current cycle is not refunded.

    Example: `seatledger take-over cancel 1c9e5a02 --reason not_used_enough --org contoso --as chris@contoso.com`
    """
    subscription_id = find_subscription(call, subscription)
    command = call.wish(CancelTakenOver, subscription_id=subscription_id, reason=reason)
    receipt = cancel_taken_over(call.house.ledger, command, call.till)
    billed = Billed(call, call.house.ledger.told(call.organization_id, receipt))
    said = f"subscription {subscription_id} is cancelled"
    return call.answer(receipt, "\n".join([said, *billed.lines]), subscription_id=subscription_id, **billed.data)
