"""role: grant, revoke, list."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer, table
from adapters.cli.call import Call
from adapters.cli.find import find_member
from adapters.cli.groups import roles
from adapters.cli.verb import verb
from domain.organization import GrantedRole
from services.grant_role import GrantRole, grant_role
from services.list_roles import ListRoles, list_roles
from services.name_members import name_members
from services.revoke_role import RevokeRole, revoke_role

UserName = Annotated[str, typer.Argument(metavar="USER_NAME", help="The member.")]
RoleArgument = Annotated[GrantedRole, typer.Argument(metavar="ROLE", help="admin, billing_reader or auditor.")]


@verb(roles, "grant", role="admin", command=True)
def grant(call: Call, user_name: UserName, role: RoleArgument) -> Answer:
    """Grants a member a role; purchasing needs none.

    Example: `seatledger role grant cynthia@contoso.com auditor --org contoso --as chris@contoso.com`
    """
    command = call.wish(GrantRole, member_id=find_member(call, user_name), role=role)
    return call.answer(grant_role(call.house.ledger, command), f"{user_name} is {role}")


@verb(roles, "revoke", role="admin", command=True)
def revoke(call: Call, user_name: UserName, role: RoleArgument) -> Answer:
    """Takes a role back; the last admin stays.

    Example: `seatledger role revoke cynthia@contoso.com auditor --org contoso --as chris@contoso.com`
    """
    command = call.wish(RevokeRole, member_id=find_member(call, user_name), role=role)
    return call.answer(revoke_role(call.house.ledger, command), f"{user_name} is no {role}")


@verb(roles, "list", role="admin")
def show(call: Call) -> Answer:
    """Shows who has which role.

    Example: `seatledger role list --org contoso --as chris@contoso.com`
    """
    query = call.wish(ListRoles)
    held = list_roles(call.house.ledger, query)
    details = name_members(call.directory, query, held)
    names = {member_id: details.get(member_id, {}).get("user_name") for member_id in held}
    data = [{"member_id": one, "user_name": names[one], "roles": of_member} for one, of_member in held.items()]
    rows = [(names[one] or one, ", ".join(of_member)) for one, of_member in held.items()]
    return Answer({"roles": data}, table("Roles", ("member", "roles"), rows))
