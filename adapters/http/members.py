"""Members: import, list, deactivate, reactivate, remove."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.callers import ORGANIZATION, AdminDoes, AdminReads
from domain.member import Kind, Status
from domain.organization import GrantedRole
from services.command import Text
from services.deactivate_member import DeactivateMember, deactivate_member
from services.import_members import ImportMembers, import_members
from services.list_members import ListMembers, MemberListed, list_members
from services.reactivate_member import ReactivateMember, reactivate_member
from services.remove_member import RemoveMember, remove_member

routes = APIRouter(prefix=ORGANIZATION, tags=["members"])

MemberId = Annotated[UUID, Path(description="The member.")]
Detail = Annotated[Text, Field(max_length=256)]
# Spelled out, for what \s means depends on who reads the document.
WITHOUT_SPACES = r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+$"


class MemberNamed(Body):
    """One person of a directory, as the organization names them; details that are left out are not known."""

    user_name: Text = Field(
        min_length=1, max_length=256, pattern=WITHOUT_SPACES, description="Such as chris@contoso.com."
    )
    kind: Kind = Field(default="member", description="A guest cannot buy.")
    display_name: Detail = ""
    first_name: Detail = ""
    last_name: Detail = ""
    job_title: Detail = ""
    department: Detail = ""


class Directory(Body):
    """A part of a directory; a long one comes in several calls."""

    rows: Annotated[list[MemberNamed], Field(min_length=1, max_length=1_000)]


@routes.post("/members", operation_id="import_members", summary="Import members", response_model=Done)
def import_rows(call: AdminDoes, body: Directory) -> Response:
    """Who is new is added, who was removed is restored, what differs is changed; all rows or none.

    A user name that is known, in whatever case, is the same member. Its event's `subject` is the member's id.
    """
    rows = [row.model_dump(exclude_unset=True) for row in body.rows]
    command = call.wish(ImportMembers, rows=tuple(rows))
    return done(call, import_members(call.house.ledger, command, call.house.directory), Done)


class Member(BaseModel):
    """A member, as those who may know it call them."""

    member_id: UUID
    user_name: str | None = None
    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    department: str | None = None
    kind: Kind
    status: Status
    roles: list[GrantedRole]


@routes.get("/members", operation_id="list_members", summary="List members", response_model=Page[Member])
def list_named(
    call: AdminReads,
    name: Annotated[
        str, Query(max_length=256, description="Whose user name, first, last or whole name begins so.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1_000, description="At most so many; a longer `name` finds fewer.")] = 100,
) -> Response:
    """By name, those who were removed too. Who gives licenses to members finds them here (`Seatledger-Role`)."""
    house = call.house
    found = list_members(house.ledger, house.directory, call.wish(ListMembers, name=name, limit=limit))
    return shown(Page[Member](items=[member_of(one) for one in found]))


def member_of(one: MemberListed) -> Member:
    return Member.model_validate(
        {
            "member_id": one.member_id,
            **one.details,
            "kind": one.kind,
            "status": one.status,
            "roles": one.roles,
        }
    )


@routes.post(
    "/members/{member_id}/deactivation",
    operation_id="deactivate_member",
    summary="Deactivate a member",
    response_model=Done,
)
def deactivate(call: AdminDoes, member_id: MemberId) -> Response:
    """The member keeps licenses, gets no new ones, and can do nothing here."""
    command = call.wish(DeactivateMember, member_id=member_id)
    return done(call, deactivate_member(call.house.ledger, command), Done)


@routes.post(
    "/members/{member_id}/reactivation",
    operation_id="reactivate_member",
    summary="Reactivate a member",
    response_model=Done,
)
def reactivate(call: AdminDoes, member_id: MemberId) -> Response:
    """The member can act and get licenses again."""
    command = call.wish(ReactivateMember, member_id=member_id)
    return done(call, reactivate_member(call.house.ledger, command), Done)


@routes.delete(
    "/members/{member_id}",
    operation_id="remove_member",
    summary="Remove a member",
    response_model=Done,
)
def remove(call: AdminDoes, member_id: MemberId) -> Response:
    """Roles end, and the licenses that the member held are free at once."""
    house = call.house
    command = call.wish(RemoveMember, member_id=member_id)
    freed = remove_member(house.ledger, command, house.holdings)
    removed = house.ledger.answer_of(command)
    return done(call, freed, Done, earlier=[removed] if removed else [])
