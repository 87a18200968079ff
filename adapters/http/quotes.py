"""Quotes: what a purchase or a change comes to, by the code that charges; nothing is recorded."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Query
from starlette.responses import Response

from adapters.http.answers import shown
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, PurchaserReads, SubscriptionId
from domain.subscription import Channel
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.quote import Quotable, Quote, QuoteRenewal, quote
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses

routes = APIRouter(prefix=ORGANIZATION, tags=["quotes"])

BilledOn = Annotated[UUID | None, Query(description="The billing profile, where it is not the usual one.")]


@routes.get("/quotes/purchase", operation_id="quote_purchase", summary="Quote a purchase", response_model=Quote)
def of_purchase(
    call: PurchaserReads,
    *,
    offer_id: UUID,
    licenses: Annotated[int, Query(ge=1, le=1_000_000)],
    channel: Channel = "self_service",
    purchaser_id: Annotated[UUID | None, Query(description="Whom a central purchase is for.")] = None,
    billing_profile_id: BilledOn = None,
) -> Response:
    """With tax, which the billing profile decides; `expected_amount_minor` of the purchase says its `total_minor`."""
    asked = {"purchaser_id": purchaser_id, "billing_profile_id": billing_profile_id}
    return quoted(call, BuySubscription, offer_id=offer_id, licenses=licenses, channel=channel, **asked)


@routes.get(
    "/subscriptions/{subscription_id}/quotes/resize",
    operation_id="quote_resize",
    summary="Quote another number of licenses",
    response_model=Quote,
)
def of_resize(
    call: PurchaserReads, subscription_id: SubscriptionId, total: Annotated[int, Query(ge=0, le=1_000_000)]
) -> Response:
    """What more licenses cost for the rest of the cycle, or what a removal gives back."""
    return quoted(call, ResizeLicenses, subscription_id=subscription_id, total=total)


@routes.get(
    "/subscriptions/{subscription_id}/quotes/cancellation",
    operation_id="quote_cancellation",
    summary="Quote a cancellation",
    response_model=Quote,
)
def of_cancellation(
    call: PurchaserReads, subscription_id: SubscriptionId, when: Literal["now", "term_end"]
) -> Response:
    """What would be given back, and what is still owed."""
    return quoted(call, CancelSubscription, subscription_id=subscription_id, when=when, reason="other")


@routes.get(
    "/subscriptions/{subscription_id}/quotes/renewal",
    operation_id="quote_renewal",
    summary="Quote the next charge",
    response_model=Quote,
)
def of_renewal(call: PurchaserReads, subscription_id: SubscriptionId) -> Response:
    """Of the next term or cycle, at the prices that are known today."""
    return quoted(call, QuoteRenewal, subscription_id=subscription_id)


@routes.get(
    "/subscriptions/{subscription_id}/quotes/reactivation",
    operation_id="quote_reactivation",
    summary="Quote a reactivation",
    response_model=Quote,
)
def of_reactivation(
    call: PurchaserReads,
    subscription_id: SubscriptionId,
    *,
    licenses: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    billing_profile_id: BilledOn = None,
) -> Response:
    """With as many licenses as it had, unless another number is asked for."""
    asked = {"licenses": licenses, "billing_profile_id": billing_profile_id}
    return quoted(call, ReactivateSubscription, subscription_id=subscription_id, **asked)


def quoted(call: Call, kind: type[Quotable], **fields: Any) -> Response:
    """What the command would come to; its id is of no consequence, for it is not carried out."""
    command: Quotable = call.wish(kind, command_id=uuid4(), **fields)
    return shown(quote(call.house.ledger, call.till, command))
