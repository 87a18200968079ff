import pytest

from domain.envelope import Role
from domain.refusals import GuestMayNotBuy, MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.show_organization import ShowOrganization, show_organization
from tests.examples import A_STRANGER
from tests.services.contoso import OPERATOR, SERVICE, Contoso


def shown(contoso: Contoso, by: Actor) -> object:
    return show_organization(contoso.ledger, ShowOrganization(organization_id=contoso.organization_id, actor=by))


@pytest.mark.parametrize("role", ["purchaser", "admin", "auditor", "billing_reader"])
def test_in_every_role_that_one_has(contoso: Contoso, role: Role) -> None:
    facts = contoso.ledger.organization(contoso.organization_id).facts
    assert shown(contoso, contoso.by(role)) == facts
    assert shown(contoso, OPERATOR) == shown(contoso, SERVICE) == facts


def test_not_for_those_who_do_not_belong_to_it(contoso: Contoso) -> None:
    with pytest.raises(NotFound):
        shown(contoso, Actor(id=A_STRANGER, role="purchaser"))
    with pytest.raises(NotAllowed, match="act as admin"):
        shown(contoso, Actor(id=contoso.ben, role="admin"))
    contoso.deactivates(contoso.ben)
    with pytest.raises(MemberNotActive):
        shown(contoso, contoso.purchaser(contoso.ben))


def test_a_guest_has_no_role_to_look_in(contoso: Contoso) -> None:
    (guest,) = contoso.generates(1, "guest")
    with pytest.raises(GuestMayNotBuy):
        shown(contoso, contoso.purchaser(guest))
