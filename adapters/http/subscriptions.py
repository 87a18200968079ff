"""The life of a subscription: whether it renews, how it is cancelled, and how an admin takes it over."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from adapters.http.answers import Body, Done, done
from adapters.http.callers import ORGANIZATION, AdminDoes, PurchaserChanges, PurchaserDoes, SubscriptionId
from adapters.http.words import YesNo
from domain.subscription import CancelReason, TakeOverReason
from services.adopt_subscription import AdoptSubscription, adopt_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.cancel_taken_over import CancelTakenOver, cancel_taken_over
from services.move_users import MoveUsers, move_users
from services.set_recurring_billing import SetRecurringBilling, set_recurring_billing
from services.withdraw_cancellation import WithdrawCancellation, withdraw_cancellation

routes = APIRouter(prefix=ORGANIZATION, tags=["subscriptions"])


class Recurring(Body):
    on: YesNo = Field(description="Whether it renews when its term ends.")


@routes.put(
    "/subscriptions/{subscription_id}/recurring-billing",
    operation_id="set_recurring_billing",
    summary="Turn recurring billing on or off",
    response_model=Done,
)
def set_recurring(call: PurchaserChanges, subscription_id: SubscriptionId, body: Recurring) -> Response:
    """Off drops a scheduled number of licenses; on withdraws a cancellation at the term's end."""
    command = call.wish(SetRecurringBilling, [subscription_id], subscription_id=subscription_id, on=body.on)
    return done(call, set_recurring_billing(call.house.ledger, command, call.till), Done)


class Cancellation(Body):
    """When, and why."""

    when: Literal["now", "term_end"] = Field(description="`now`: within 7 days of purchase or renewal.")
    reason: CancelReason
    feedback: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(
        default=None, description="In the user's own words; can be forgotten.", repr=False
    )


@routes.post(
    "/subscriptions/{subscription_id}/cancellation",
    operation_id="cancel_subscription",
    summary="Cancel a subscription",
    response_model=Done,
)
def cancel(call: PurchaserDoes, subscription_id: SubscriptionId, body: Cancellation) -> Response:
    """Now: access ends and what is unused is credited. At the term's end: it does not renew, which can be withdrawn.

    The events tell the credit notes, what is refunded, and what is still owed.
    """
    command = call.wish(CancelSubscription, subscription_id=subscription_id, **body.given())
    return done(call, cancel_subscription(call.house.ledger, command, call.till), Done)


@routes.delete(
    "/subscriptions/{subscription_id}/cancellation",
    operation_id="withdraw_cancellation",
    summary="Withdraw a cancellation at the term's end",
    response_model=Done,
)
def withdraw(call: PurchaserDoes, subscription_id: SubscriptionId) -> Response:
    """Possible until the term has ended; it renews again."""
    command = call.wish(WithdrawCancellation, subscription_id=subscription_id)
    return done(call, withdraw_cancellation(call.house.ledger, command, call.till), Done)


class Adoption(Body):
    """Why, and on which profile it is billed from now on."""

    reason: TakeOverReason
    billing_profile_id: UUID | None = Field(default=None, description="Without one the admin's own.")


@routes.post(
    "/subscriptions/{subscription_id}/adoption",
    operation_id="adopt_subscription",
    summary="Take a member's purchase over",
    response_model=Done,
)
def adopt(call: AdminDoes, subscription_id: SubscriptionId, body: Adoption) -> Response:
    """It is a central purchase of the admin's from now on; who holds a license keeps it."""
    command = call.wish(AdoptSubscription, subscription_id=subscription_id, **body.given())
    return done(call, adopt_subscription(call.house.ledger, command, call.till), Done)


class Move(Body):
    """Where the users go, and why."""

    target_id: UUID = Field(description="A central subscription to the same product, with a free license for each.")
    reason: CancelReason = "other"


@routes.post(
    "/subscriptions/{subscription_id}/users-moved",
    operation_id="move_users",
    summary="Move the users of a member's purchase",
    response_model=Done,
)
def move(call: AdminDoes, subscription_id: SubscriptionId, body: Move) -> Response:
    """All or nobody: they hold licenses of the target, and the purchase is cancelled."""
    command = call.wish(MoveUsers, subscription_id=subscription_id, **body.given())
    return done(call, move_users(call.house.ledger, command, call.till), Done)


class TakenOverCancellation(Body):
    reason: CancelReason


@routes.post(
    "/subscriptions/{subscription_id}/taken-over-cancellation",
    operation_id="cancel_taken_over",
    summary="Cancel a member's purchase",
    response_model=Done,
)
def cancel_as_admin(call: AdminDoes, subscription_id: SubscriptionId, body: TakenOverCancellation) -> Response:
    """At any time, and at once; outside of its 7 days the current cycle is not refunded."""
    command = call.wish(CancelTakenOver, subscription_id=subscription_id, reason=body.reason)
    return done(call, cancel_taken_over(call.house.ledger, command, call.till), Done)
