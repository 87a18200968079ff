"""organization: create, show."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.catalog.currency import country_of, exponent_of
from adapters.cli.answer import Answer
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import organizations
from adapters.cli.naming import user_names
from adapters.cli.verb import verb
from adapters.directory.microsoft_365 import kind_of
from domain.organization import organization_id_of
from services.create_organization import CreateOrganization, create_organization
from services.list_roles import ListRoles, list_roles


@verb(organizations, "create", role=OPERATOR, org=False, command=True)
def create(
    call: Call,
    handle: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens; for ever.")],
    *,
    country: Annotated[str, typer.Option(help="ISO 3166 code, such as US.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code, such as USD; what the organization pays in.")],
    admin: Annotated[str, typer.Option(metavar="USER_NAME", help="The first admin's user name.")],
    admin_name: Annotated[str, typer.Option(metavar="NAME", help="The first admin's display name.")] = "",
    simulation: Annotated[bool, typer.Option("--simulation", help="Marks it as a simulation, for ever.")] = False,
) -> Answer:
    """Creates an organization with its first admin.

    Example: `seatledger organization create contoso --country US --currency USD --admin chris@contoso.com`
    """
    facts = {
        "handle": handle,
        "country": country_of(country.upper()),
        "currency": currency.upper(),
        "currency_exponent": exponent_of(currency.upper()),
        "simulation": simulation,
    }
    if any(letter.isspace() for letter in admin):
        raise BadInput("--admin has a space in it; write the user name, such as chris@contoso.com")
    row = {"user_name": admin, "kind": kind_of(admin), "display_name": admin_name}
    organization_id = organization_id_of(handle)
    command = call.wish(CreateOrganization, organization_id=organization_id, facts=facts, first_admin=row)
    receipt = create_organization(call.house.ledger, command)
    return call.answer(
        receipt,
        f"{handle} is an organization; {admin} is its admin. Go on with: --org {handle} --as {admin}",
        organization_id=organization_id,
        handle=handle,
        first_admin_id=command.first_admin_id,
    )


@verb(organizations, "show", role="admin")
def show(call: Call) -> Answer:
    """Shows what is fixed of an organization, and who has which role.

    Example: `seatledger organization show --org contoso --as operator`
    """
    query = call.wish(ListRoles)
    held = list_roles(call.house.ledger, query)
    found = call.house.ledger.organization(call.organization_id)
    facts = found.facts
    names = user_names(call.house, found.id, held)
    roles = [{"member_id": one, "user_name": names.get(one), "roles": of_member} for one, of_member in held.items()]
    data = {"organization_id": found.id, **facts.model_dump(), "roles": roles, "policies": found.policies}
    lines = [
        f"{facts.handle}{' (simulation)' if facts.simulation else ''}: {facts.country}, pays in {facts.currency}",
        f"id {found.id}",
        *(f"{names.get(one, one)}: {', '.join(of_member)}" for one, of_member in held.items()),
        *(f"policy of {product_id}: {policy}" for product_id, policy in found.policies.items()),
    ]
    return Answer(data, "\n".join(lines))
