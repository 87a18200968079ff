"""Billing profiles: who is billed, by which card, under which order number, and who has a role there."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator
from starlette.responses import Response

from adapters.catalog.currency import country_of
from adapters.http.answers import Body, Done, Page, done, shown, told_by
from adapters.http.callers import ORGANIZATION, PurchaserChanges, PurchaserDoes, PurchaserReads
from adapters.http.pages import Cursor, Limit
from adapters.http.people import Person, person
from adapters.http.tags import tag_of
from domain.billing_profile import BillingProfile, ProfileRole
from services.change_bill_to import ChangeBillTo, change_bill_to
from services.grant_profile_role import GrantProfileRole, grant_profile_role
from services.list_billing_profiles import ListBillingProfiles, list_billing_profiles
from services.name_members import name_members
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports_reads import BillingProfileRow
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from services.revoke_profile_role import RevokeProfileRole, revoke_profile_role
from services.set_po_number import SetPoNumber, set_po_number
from services.show_billing_profile import ShowBillingProfile, ShownBillingProfile, show_billing_profile

routes = APIRouter(prefix=ORGANIZATION, tags=["billing profiles"])

ProfileId = Annotated[UUID, Path(description="The billing profile.")]
MemberId = Annotated[UUID, Path(description="The member.")]


class ListedProfile(BillingProfileRow):
    """A billing profile with the name of its owner; none where the caller may not know it."""

    owner: Person


class ProfileInFull(ShownBillingProfile):
    """A billing profile as it is now, with the names of who has a role on it."""

    owner: Person
    people: list[Person] = Field(description="Who has a role on it beside its owner.")


class ProfileDone(Done):
    """What was done about a billing profile."""

    billing_profile_id: UUID


@routes.get(
    "/billing-profiles",
    operation_id="list_billing_profiles",
    summary="List billing profiles",
    response_model=Page[ListedProfile],
)
def list_all(
    call: PurchaserReads,
    *,
    mine: Annotated[bool, Query(description="Also for an admin only those on which they have a role.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """A purchaser sees those on which they have a role; an admin, billing reader, auditor or operator sees all."""
    question = ("billing profiles", mine)
    place = call.place(cursor, of=question)
    query = call.wish(ListBillingProfiles, mine=mine, limit=limit, after=UUID(place[0]) if place else None)
    rows = list_billing_profiles(call.house.ledger, call.house.billing_views, query)
    names = name_members(call.directory, query, [row.owner_id for row in rows])
    items = [ListedProfile.model_construct(**row.__dict__, owner=person(row.owner_id, names)) for row in rows]
    following = call.cursor(str(rows[-1].billing_profile_id), of=question) if len(rows) == limit else None
    return shown(Page[ListedProfile](items=items, next=following))


@routes.get(
    "/billing-profiles/{billing_profile_id}",
    operation_id="show_billing_profile",
    summary="Show one billing profile",
    response_model=ProfileInFull,
)
def show(call: PurchaserReads, billing_profile_id: ProfileId) -> Response:
    """Who is billed, the card, the credit balance, what is billed there. Its ETag is for changes of it."""
    query = call.wish(ShowBillingProfile, billing_profile_id=billing_profile_id)
    found = show_billing_profile(call.house.ledger, call.directory, query)
    names = name_members(call.directory, query, [found.owner_id, *found.roles])
    full = ProfileInFull.model_construct(
        **found.__dict__, owner=person(found.owner_id, names), people=[person(one, names) for one in found.roles]
    )
    return shown(full, tag=tag_of(found.version, found.card.version))


class BillTo(Body):
    """Who invoices are made out to. All but the country are personal, and can be forgotten."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(default=None, description="It decides the tax.")
    bill_to: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The name.", repr=False
    )
    address: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(default=None, repr=False)
    tax_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(default=None, repr=False)

    def refuse_unknown_country(self) -> None:
        if self.country is not None:
            country_of(self.country)


class NewProfile(BillTo):
    """Who is billed, by which of the caller's cards."""

    payment_method_id: UUID


@routes.post(
    "/billing-profiles",
    operation_id="open_billing_profile",
    summary="Open a billing profile",
    status_code=201,
    response_model=ProfileDone,
)
def open_profile(call: PurchaserDoes, body: NewProfile) -> Response:
    """A member's first one is what their purchases are billed on where they name none."""
    body.refuse_unknown_country()
    command = call.wish(OpenBillingProfile, **body.given())
    receipt = open_billing_profile(call.house.ledger, command)
    opened = BillingProfile.BillingProfileOpened.TOPIC
    profile_id = next(event.originator_id for event in told_by(call, receipt) if event.topic == opened)
    location = call.path_of(f"/billing-profiles/{profile_id}")
    return done(call, receipt, ProfileDone, status=201, location=location, billing_profile_id=profile_id)


class BillToChanges(BillTo):
    """What changes about who invoices are made out to; what is left out stays."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(value is not None for value in self.given().values()):
            raise ValueError("say what changes: country, bill_to, address or tax_id")
        return self


@routes.patch(
    "/billing-profiles/{billing_profile_id}/bill-to",
    operation_id="change_bill_to",
    summary="Change who is billed",
    response_model=ProfileDone,
)
def change(call: PurchaserChanges, billing_profile_id: ProfileId, body: BillToChanges) -> Response:
    """For the invoices to come; issued ones stay as they are."""
    body.refuse_unknown_country()
    command = call.wish(ChangeBillTo, [billing_profile_id], billing_profile_id=billing_profile_id, **body.given())
    receipt = change_bill_to(call.house.ledger, command, call.till)
    return done(call, receipt, ProfileDone, billing_profile_id=billing_profile_id)


class CardToCharge(Body):
    payment_method_id: UUID = Field(description="One of the caller's.")


@routes.put(
    "/billing-profiles/{billing_profile_id}/payment-method",
    operation_id="replace_payment_method",
    summary="Charge another payment method",
    response_model=ProfileDone,
)
def replace(call: PurchaserChanges, billing_profile_id: ProfileId, body: CardToCharge) -> Response:
    """From now on, and at once for what is past due; the replaced one stays stored."""
    command = call.wish(
        ReplacePaymentMethod,
        [billing_profile_id],
        billing_profile_id=billing_profile_id,
        payment_method_id=body.payment_method_id,
    )
    receipt = replace_payment_method(call.house.ledger, command, call.till)
    return done(call, receipt, ProfileDone, billing_profile_id=billing_profile_id)


class PoNumber(Body):
    po_number: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        description="Of the purchase order; null: the invoices to come carry none."
    )


@routes.put(
    "/billing-profiles/{billing_profile_id}/po-number",
    operation_id="set_po_number",
    summary="Set the purchase order's number",
    response_model=ProfileDone,
)
def set_number(call: PurchaserChanges, billing_profile_id: ProfileId, body: PoNumber) -> Response:
    """The invoices to come carry it; it never appears on issued ones."""
    command = call.wish(
        SetPoNumber, [billing_profile_id], billing_profile_id=billing_profile_id, po_number=body.po_number
    )
    receipt = set_po_number(call.house.ledger, command, call.till)
    return done(call, receipt, ProfileDone, billing_profile_id=billing_profile_id)


class RoleGiven(Body):
    role: ProfileRole = Field(
        description="contributor: buys on it and changes it; invoice_manager: pays; reader: sees its invoices."
    )


@routes.put(
    "/billing-profiles/{billing_profile_id}/roles/{member_id}",
    operation_id="grant_profile_role",
    summary="Give a member a role on a billing profile",
    response_model=ProfileDone,
)
def grant(call: PurchaserChanges, billing_profile_id: ProfileId, member_id: MemberId, body: RoleGiven) -> Response:
    """In place of the one that they had; its owner decides."""
    command = call.wish(
        GrantProfileRole,
        [billing_profile_id],
        billing_profile_id=billing_profile_id,
        member_id=member_id,
        role=body.role,
    )
    receipt = grant_profile_role(call.house.ledger, command, call.till)
    return done(call, receipt, ProfileDone, billing_profile_id=billing_profile_id)


@routes.delete(
    "/billing-profiles/{billing_profile_id}/roles/{member_id}",
    operation_id="revoke_profile_role",
    summary="Take a member's role on a billing profile away",
    response_model=ProfileDone,
)
def revoke(call: PurchaserDoes, billing_profile_id: ProfileId, member_id: MemberId) -> Response:
    """Its owner decides, and stays."""
    command = call.wish(RevokeProfileRole, billing_profile_id=billing_profile_id, member_id=member_id)
    receipt = revoke_profile_role(call.house.ledger, command, call.till)
    return done(call, receipt, ProfileDone, billing_profile_id=billing_profile_id)
