"""Buying: new subscriptions, and new ones in the place of those that ended; paid for first."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StrictInt
from starlette.responses import Response

from adapters.http.answers import Body, Done, done
from adapters.http.callers import ORGANIZATION, PurchaserDoes, SubscriptionId
from adapters.http.words import Minor
from domain.subscription import Channel
from services.buy_subscription import BuySubscription, buy_subscription
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription

routes = APIRouter(prefix=ORGANIZATION, tags=["subscriptions"])

Licenses = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
ExpectedTotal = Annotated[
    Minor,
    Field(ge=0, description="With tax, as a quote said it; another amount is refused."),
]
BilledOn = Annotated[UUID, Field(description="The billing profile; without one the purchaser's own.")]


class Order(Body):
    """What is bought, and on which profile it is billed."""

    offer_id: UUID
    licenses: Licenses
    channel: Channel = Field(default="self_service", description="`central`: an admin or operator buys for a member.")
    purchaser_id: UUID | None = Field(default=None, description="Whom a central purchase is for; else who calls.")
    billing_profile_id: BilledOn | None = None
    expected_amount_minor: ExpectedTotal | None = None


class Bought(Done):
    """A purchase that is paid for; its licenses can be assigned."""

    subscription_id: UUID
    pool_id: UUID
    invoice_id: UUID


@routes.post(
    "/subscriptions",
    operation_id="buy_subscription",
    summary="Buy a subscription",
    status_code=201,
    response_model=Bought,
)
def buy(call: PurchaserDoes, body: Order) -> Response:
    """Paid for before it is recorded, at today's price; it renews until that is turned off or it is cancelled.

    Declined: nothing is bought, and the same key tries again. While the payer has to confirm, the answer is 409 with
    the page to send them to in `facts.url`; the same call with the same key then goes on.
    """
    command = call.wish(BuySubscription, **body.given())
    receipt = buy_subscription(call.house.ledger, command, call.till)
    return done(
        call,
        receipt,
        Bought,
        status=201,
        location=call.path_of(f"/subscriptions/{command.subscription_id}"),
        subscription_id=command.subscription_id,
        pool_id=command.pool_id,
        invoice_id=command.invoice_id,
    )


class Reactivation(Body):
    """With as many licenses as there were, and on the same profile, unless others are named."""

    licenses: Licenses | None = None
    billing_profile_id: BilledOn | None = None
    expected_amount_minor: ExpectedTotal | None = None


class Reactivated(Done):
    """A subscription in the place of the one that ended."""

    subscription_id: UUID = Field(description="The one that ended.")
    new_subscription_id: UUID
    pool_id: UUID = Field(description="Of the new one.")
    invoice_id: UUID


@routes.post(
    "/subscriptions/{subscription_id}/reactivation",
    operation_id="reactivate_subscription",
    summary="Reactivate a subscription",
    status_code=201,
    response_model=Reactivated,
)
def reactivate(call: PurchaserDoes, subscription_id: SubscriptionId, body: Reactivation | None = None) -> Response:
    """A new subscription at today's price, which takes over who held a license of the expired or disabled one."""
    command = call.wish(ReactivateSubscription, subscription_id=subscription_id, **(body.given() if body else {}))
    receipt = reactivate_subscription(call.house.ledger, command, call.till)
    return done(
        call,
        receipt,
        Reactivated,
        status=201,
        location=call.path_of(f"/subscriptions/{command.new_subscription_id}"),
        subscription_id=subscription_id,
        new_subscription_id=command.new_subscription_id,
        pool_id=command.pool_id,
        invoice_id=command.invoice_id,
    )
