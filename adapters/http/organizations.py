"""Organizations: an operator founds one, and whoever belongs to it sees what is fixed of it."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from adapters.catalog.currency import country_of, exponent_of
from adapters.http.answers import Body, Done, done, shown
from adapters.http.callers import ORGANIZATION, AdminDoes, OrganizationHandle, PurchaserReads
from adapters.http.members import MemberNamed
from adapters.http.words import YesNo
from domain.organization import OrganizationFacts
from services.create_organization import CreateOrganization, create_organization
from services.show_organization import ShowOrganization, show_organization

routes = APIRouter(prefix=ORGANIZATION, tags=["organizations"])


class Founding(Body):
    """What stays as it is for ever, and who administers first."""

    country: str = Field(pattern="^[A-Z]{2}$", description="ISO 3166, such as US.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217, such as USD: what the organization pays in.")
    simulation: YesNo = Field(default=False, description="Lives at its own time, and is never charged real money.")
    first_admin: MemberNamed


class Founded(Done):
    organization_id: UUID
    first_admin_id: UUID


@routes.post(
    "",
    operation_id="create_organization",
    summary="Create an organization",
    response_model=Founded,
    status_code=201,
)
def create(call: AdminDoes, organization: OrganizationHandle, body: Founding) -> Response:
    """With its first admin, under the handle in the path. For operators."""
    facts = {
        "handle": organization,
        "country": country_of(body.country),
        "currency": body.currency,
        "currency_exponent": exponent_of(body.currency),
        "simulation": body.simulation,
    }
    first_admin = body.first_admin.model_dump(exclude_unset=True)
    command = call.wish(CreateOrganization, facts=facts, first_admin=first_admin)
    receipt = create_organization(call.house.ledger, command)
    return done(
        call,
        receipt,
        Founded,
        status=201,
        location=call.path_of(""),
        organization_id=call.organization_id,
        first_admin_id=command.first_admin_id,
    )


class Organization(BaseModel):
    """What is fixed of an organization."""

    organization_id: UUID
    handle: str
    country: str
    currency: str
    currency_exponent: int = Field(description="How many decimals the currency has: 2 for USD, 0 for JPY.")
    simulation: bool


@routes.get("", operation_id="show_organization", summary="Show the organization", response_model=Organization)
def show(call: PurchaserReads) -> Response:
    """For everybody who belongs to it. Who has which role, and its policies, is for those who manage them."""
    facts: OrganizationFacts = show_organization(call.house.ledger, call.wish(ShowOrganization))
    return shown(Organization(organization_id=call.organization_id, **facts.model_dump()))
