import pytest

from domain.refusals import NotAllowed
from services.command import Actor
from services.list_roles import ListRoles, list_roles
from services.revoke_role import RevokeRole
from tests.services.contoso import OPERATOR, Contoso


def listing(contoso: Contoso, by: Actor) -> object:
    return list_roles(contoso.ledger, ListRoles(organization_id=contoso.organization_id, actor=by))


def test_who_has_which(contoso: Contoso) -> None:
    contoso.by("auditor")
    contoso.by("billing_reader")
    everybody = {contoso.chris: ["admin"], contoso.cynthia: ["auditor"], contoso.david: ["billing_reader"]}
    assert listing(contoso, contoso.admin) == everybody
    contoso.run(contoso.command(RevokeRole, contoso.admin, member_id=contoso.david, role="billing_reader"))
    del everybody[contoso.david]
    assert listing(contoso, OPERATOR) == everybody


def test_for_those_who_manage_them(contoso: Contoso) -> None:
    for role in ("purchaser", "billing_reader", "auditor", "service"):
        with pytest.raises(NotAllowed):
            listing(contoso, contoso.by(role))
    with pytest.raises(NotAllowed, match="act as admin"):
        listing(contoso, Actor(id=contoso.ben, role="admin"))
