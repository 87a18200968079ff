"""Licenses of a subscription: their total, who holds them, and what is scheduled for the renewal."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from adapters.http.answers import Body, Done, done
from adapters.http.callers import ORGANIZATION, PurchaserChanges, PurchaserDoes, SubscriptionId
from adapters.http.words import Count, Minor
from services.assign_licenses import AssignLicenses, assign_licenses
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from services.unassign_licenses import UnassignLicenses, unassign_licenses

routes = APIRouter(prefix=ORGANIZATION, tags=["licenses"])

Users = Annotated[list[UUID], Field(min_length=1, max_length=1_000, description="Members; at most 20 at a time.")]


class NewTotal(Body):
    """How many licenses there shall be, and what the caller expects it to come to."""

    total: Count
    expected_total: Count | None = Field(default=None, description="How many there are, as the caller knows.")
    expected_amount_minor: Minor | None = Field(
        default=None, description="With tax: what an increase charges, or with a minus what a removal gives back."
    )


@routes.put(
    "/subscriptions/{subscription_id}/licenses",
    operation_id="resize_licenses",
    summary="Add or remove licenses",
    response_model=Done,
)
def resize(call: PurchaserChanges, subscription_id: SubscriptionId, body: NewTotal) -> Response:
    """More are charged at once for the rest of the cycle; what was added in the last 7 days can be removed."""
    ledger = call.house.ledger
    decided_on = [subscription_id]
    if call.seen is not None:
        decided_on.append(ledger.subscription(call.organization_id, subscription_id).pool_id)
    command = call.wish(ResizeLicenses, decided_on, subscription_id=subscription_id, **body.given())
    return done(call, resize_licenses(ledger, command, call.till), Done)


class ScheduledTotal(Body):
    """How many licenses there shall be from the next renewal on."""

    total: Count


@routes.put(
    "/subscriptions/{subscription_id}/scheduled-licenses",
    operation_id="schedule_licenses",
    summary="Schedule a number of licenses for the renewal",
    response_model=Done,
)
def schedule(call: PurchaserChanges, subscription_id: SubscriptionId, body: ScheduledTotal) -> Response:
    """Also below what is assigned. One change at a time: a later one takes the place of an earlier one."""
    command = call.wish(ScheduleLicenses, [subscription_id], subscription_id=subscription_id, total=body.total)
    return done(call, schedule_licenses(call.house.ledger, command, call.till), Done)


@routes.delete(
    "/subscriptions/{subscription_id}/scheduled-licenses",
    operation_id="withdraw_scheduled_licenses",
    summary="Withdraw the scheduled number of licenses",
    response_model=Done,
)
def withdraw_scheduled(call: PurchaserDoes, subscription_id: SubscriptionId) -> Response:
    """The subscription renews with as many licenses as it has."""
    command = call.wish(ScheduleLicenses, subscription_id=subscription_id, total=None)
    return done(call, schedule_licenses(call.house.ledger, command, call.till), Done)


class UsersNamed(Body):
    user_ids: Users


@routes.post(
    "/subscriptions/{subscription_id}/assignments",
    operation_id="assign_licenses",
    summary="Assign licenses to users",
    response_model=Done,
)
def assign(call: PurchaserDoes, subscription_id: SubscriptionId, body: UsersNamed) -> Response:
    """All or none; who holds one keeps it. A refusal names every user that cannot get one, and why."""
    command = call.wish(AssignLicenses, subscription_id=subscription_id, user_ids=tuple(body.user_ids))
    return done(call, assign_licenses(call.house.ledger, command, call.till), Done)


class UsersOfSubscriptions(UsersNamed):
    """Over several subscriptions of the caller at once."""

    subscription_ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)]


@routes.post("/unassignments", operation_id="unassign_licenses", summary="Take licenses back", response_model=Done)
def unassign(call: PurchaserDoes, body: UsersOfSubscriptions) -> Response:
    """They are free at once; who holds none is left alone."""
    command = call.wish(UnassignLicenses, subscription_ids=tuple(body.subscription_ids), user_ids=tuple(body.user_ids))
    return done(call, unassign_licenses(call.house.ledger, command, call.till), Done)
