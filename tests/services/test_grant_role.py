from functools import partial
from uuid import UUID, uuid4

from domain.organization import Organization
from domain.refusals import MemberNotActive, NotFound
from services.command import Actor
from services.grant_role import GrantRole
from services.revoke_role import RevokeRole
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
    tells_nothing,
)


def a_grant(contoso: Contoso, to: UUID, role: str = "auditor", by: Actor | None = None) -> GrantRole:
    return contoso.command(GrantRole, by or contoso.admin, member_id=to, role=role)


def test_a_role_is_granted_once(contoso: Contoso) -> None:
    tells(
        contoso, a_grant(contoso, contoso.ben), event(Organization.RoleGranted, member_id=contoso.ben, role="auditor")
    )
    tells_nothing(contoso, a_grant(contoso, contoso.ben))
    tells(contoso, a_grant(contoso, contoso.ben, "admin"), event(Organization.RoleGranted, role="admin"))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_grant(contoso, contoso.ben), role="admin")
    is_done_once(contoso, a_grant(contoso, contoso.ben), member_id=uuid4())  # would be refused anyway


def test_a_repeat_does_not_give_back_what_was_revoked(contoso: Contoso) -> None:
    revokes = contoso.running(RevokeRole, contoso.admin, member_id=contoso.ben, role="auditor")
    stays_done(contoso, a_grant(contoso, contoso.ben), revokes, partial(contoso.removes, contoso.ben))
    assert not contoso.ledger.organization(contoso.organization_id).has_role(contoso.ben, "auditor")


def test_sixteen_at_once_grant_once(contoso: Contoso) -> None:
    has_one_effect(contoso, a_grant(contoso, contoso.ben), events=1)
    has_one_effect(contoso, a_grant(contoso, contoso.ben), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_grant(contoso, contoso.ben, by=actor))
    takes_an_active_member(contoso, another, lambda actor: a_grant(contoso, contoso.ben, by=actor))


def test_an_admin_made_by_an_admin_administers(contoso: Contoso) -> None:
    contoso.run(a_grant(contoso, contoso.ben, "admin"))
    contoso.run(a_grant(contoso, contoso.david, "admin", by=Actor(id=contoso.ben, role="admin")))


def test_only_an_active_member_of_the_organization_gets_a_role(contoso: Contoso, another: Contoso) -> None:
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_grant(contoso, another.ben))
    contoso.deactivates(contoso.ben)
    with contoso.refuses(MemberNotActive, status="deactivated"):
        contoso.run(a_grant(contoso, contoso.ben))


def test_a_member_removed_meanwhile_gets_no_role(contoso: Contoso) -> None:
    """Otherwise a role would wait for somebody who is restored later."""
    removal = partial(contoso.removes, contoso.ben)
    with refused_at_second_sight(contoso, removal, MemberNotActive, status="removed"):
        contoso.run(a_grant(contoso, contoso.ben, "admin"))


def test_another_grant_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.run, a_grant(contoso, contoso.david))):
        contoso.run(a_grant(contoso, contoso.ben))
