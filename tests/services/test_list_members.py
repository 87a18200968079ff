from collections.abc import Callable
from typing import get_args

import pytest
from pydantic import ValidationError

from adapters.postgres.directory import PersonalDirectory
from domain.envelope import Role
from domain.refusals import GuestMayNotBuy, MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.grant_role import GrantRole
from services.list_members import ListMembers, MemberListed, list_members
from tests.examples import A_STRANGER
from tests.services.contoso import Contoso

Listing = Callable[..., list[MemberListed]]


@pytest.fixture
def listing(contoso: Contoso, directory: PersonalDirectory) -> Listing:
    def listing(by: Actor | None = None, **content: object) -> list[MemberListed]:
        query = {"organization_id": contoso.organization_id, "actor": by or contoso.admin, **content}
        return list_members(contoso.ledger, directory, ListMembers.model_validate(query))

    return listing


def test_by_the_beginning_of_a_name(contoso: Contoso, listing: Listing) -> None:
    (ben,) = listing(name="BEN")
    assert ben == MemberListed(
        member_id=contoso.ben,
        kind="member",
        status="active",
        roles=(),
        details={
            "user_name": "ben@contoso.com",
            "display_name": "Ben Andrews",
            "first_name": "Ben",
            "last_name": "Andrews",
            "job_title": "IT Manager",
            "department": "Information Technology",
        },
    )
    assert [one.member_id for one in listing(name="c")] == [contoso.cynthia, contoso.chris]  # Carey, Chris
    assert [one.member_id for one in listing(name="longm")] == [contoso.david]
    assert listing(name="it man") == []
    assert len(listing()) == 5
    assert len(listing(limit=2)) == 2


def test_with_status_and_roles(contoso: Contoso, listing: Listing) -> None:
    contoso.by("auditor")
    contoso.deactivates(contoso.ben)
    contoso.removes(contoso.david)
    contoso.generates(1, "guest")
    found = {one.member_id: one for one in listing()}
    assert found[contoso.chris].roles == ("admin",)
    assert found[contoso.cynthia].roles == ("auditor",)
    assert (found[contoso.ben].status, found[contoso.david].status) == ("deactivated", "removed")
    (guest,) = listing(name="generated")
    assert guest.kind == "guest"


def test_for_those_who_give_licenses(contoso: Contoso, another: Contoso, listing: Listing) -> None:
    allowed = {"purchaser", "admin", "operator"}
    for role in get_args(Role):
        if role in allowed:
            assert len(listing(contoso.by(role))) == 5
            continue
        with pytest.raises(NotAllowed):
            listing(contoso.by(role))
    (guest,) = contoso.generates(1, "guest")
    contoso.removes(contoso.ben)
    for nobody, refusal in (
        (A_STRANGER, NotFound),
        (another.ben, NotFound),
        (guest, GuestMayNotBuy),
        (contoso.ben, MemberNotActive),
    ):
        with pytest.raises(refusal):
            listing(contoso.purchaser(nobody))


def test_an_auditor_does_not_list_by_acting_as_a_purchaser(contoso: Contoso, listing: Listing) -> None:
    auditor = contoso.by("auditor")
    with pytest.raises(NotAllowed, match="auditor"):
        listing(contoso.purchaser(auditor.id))
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=auditor.id, role="admin"))
    assert len(listing(Actor(id=auditor.id, role="admin"))) == 5


def test_what_is_asked_is_in_no_error_and_no_repr(contoso: Contoso) -> None:
    query = {"organization_id": contoso.organization_id, "actor": contoso.admin}
    assert "Andrews" not in repr(ListMembers.model_validate({**query, "name": "Andrews"}))
    with pytest.raises(ValidationError) as refused:
        ListMembers.model_validate({**query, "name": "Andrews\0"})
    assert "Andrews" not in str(refused.value)
