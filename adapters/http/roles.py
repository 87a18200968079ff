"""Roles of members: who has which, grant, revoke. Purchasing takes none."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.callers import ORGANIZATION, AdminDoes, AdminReads
from adapters.http.members import MemberId
from adapters.http.people import Person, person
from domain.organization import GrantedRole
from services.grant_role import GrantRole, grant_role
from services.list_roles import ListRoles, list_roles
from services.name_members import name_members
from services.revoke_role import RevokeRole, revoke_role

routes = APIRouter(prefix=ORGANIZATION, tags=["roles"])

RoleInPath = Annotated[GrantedRole, Path(description="The role.")]


class RolesHeld(BaseModel):
    """The roles that a member was granted."""

    member: Person
    roles: list[GrantedRole]


@routes.get("/roles", operation_id="list_roles", summary="List who has which role", response_model=Page[RolesHeld])
def list_held(call: AdminReads) -> Response:
    """All of them, in the order in which their first role was granted."""
    query = call.wish(ListRoles)
    held = list_roles(call.house.ledger, query)
    names = name_members(call.directory, query, held)
    items = [RolesHeld(member=person(member_id, names), roles=roles) for member_id, roles in held.items()]
    return shown(Page[RolesHeld](items=items))


class Grant(Body):
    member_id: UUID
    role: GrantedRole


@routes.post("/roles", operation_id="grant_role", summary="Grant a role", response_model=Done)
def grant(call: AdminDoes, body: Grant) -> Response:
    """To an active member; who has it keeps it."""
    command = call.wish(GrantRole, **body.given())
    return done(call, grant_role(call.house.ledger, command), Done)


@routes.delete(
    "/members/{member_id}/roles/{role}", operation_id="revoke_role", summary="Take a role back", response_model=Done
)
def revoke(call: AdminDoes, member_id: MemberId, role: RoleInPath) -> Response:
    """The last admin stays."""
    command = call.wish(RevokeRole, member_id=member_id, role=role)
    return done(call, revoke_role(call.house.ledger, command), Done)
