from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.organization import Organization
from domain.refusals import LastAdmin, NotFound
from services.command import Actor
from services.grant_role import GrantRole
from services.ports import Receipt
from services.revoke_role import RevokeRole
from tests.scenario import event
from tests.services.contoso import THE_OTHER_FOUR, Contoso
from tests.services.questions import (
    at_once,
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
from tests.services.test_grant_access import a_grant


def a_revocation(contoso: Contoso, of: UUID, role: str = "auditor", by: Actor | None = None) -> RevokeRole:
    return contoso.command(RevokeRole, by or contoso.admin, member_id=of, role=role)


def grants(contoso: Contoso, to: UUID, role: str = "auditor") -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=to, role=role))


def test_a_role_is_revoked_once(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    tells(
        contoso,
        a_revocation(contoso, contoso.ben),
        event(Organization.RoleRevoked, member_id=contoso.ben, role="auditor"),
    )
    tells_nothing(contoso, a_revocation(contoso, contoso.ben))


@pytest.mark.parametrize("by", ["revocation", "removal"])
def test_grants_end_with_the_role_of_auditor_for_good(contoso: Contoso, by: str) -> None:
    grants(contoso, contoso.ben)
    granting = a_grant(contoso, contoso.ben)
    contoso.run(granting)
    if by == "revocation":
        contoso.run(a_revocation(contoso, contoso.ben))
    else:
        contoso.removes(contoso.ben)
        contoso.imports(THE_OTHER_FOUR[0])
    grants(contoso, contoso.ben)
    access = contoso.ledger.find_access(contoso.organization_id, contoso.ben)
    assert access is not None
    assert access.grants[granting.grant_id].revoked
    assert access.opening(contoso.david, contoso.clock.now) is None


def test_a_grant_that_comes_meanwhile_ends_too(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    granting = a_grant(contoso, contoso.ben)
    with decided_twice(contoso, partial(contoso.run, granting)):
        contoso.run(a_revocation(contoso, contoso.ben))
    access = contoso.ledger.find_access(contoso.organization_id, contoso.ben)
    assert access is not None
    assert access.grants[granting.grant_id].revoked


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    is_done_once(contoso, a_revocation(contoso, contoso.ben), role="billing_reader")
    is_done_once(contoso, a_revocation(contoso, contoso.ben), member_id=uuid4())  # would be refused anyway


def test_a_repeat_does_not_take_what_was_granted_again(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    stays_done(contoso, a_revocation(contoso, contoso.ben), partial(grants, contoso, contoso.ben))
    stays_done(contoso, a_revocation(contoso, contoso.david), partial(grants, contoso, contoso.david))
    organization = contoso.ledger.organization(contoso.organization_id)
    assert organization.has_role(contoso.ben, "auditor")
    assert organization.has_role(contoso.david, "auditor")


def test_sixteen_at_once_revoke_once(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    has_one_effect(contoso, a_revocation(contoso, contoso.ben), events=1)
    has_one_effect(contoso, a_revocation(contoso, contoso.ben), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_revocation(contoso, contoso.ben, by=actor))
    takes_an_active_member(contoso, another, lambda actor: a_revocation(contoso, contoso.ben, by=actor))
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_revocation(contoso, another.ben))


def test_the_last_admin_stays(contoso: Contoso) -> None:
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.run(a_revocation(contoso, contoso.chris, "admin"))
    grants(contoso, contoso.ben, "admin")
    contoso.run(a_revocation(contoso, contoso.chris, "admin"))  # also by themselves


def test_two_admins_who_revoke_each_other_at_once(contoso: Contoso) -> None:
    grants(contoso, contoso.ben, "admin")
    ben = Actor(id=contoso.ben, role="admin")
    answers = at_once(
        partial(contoso.run, a_revocation(contoso, contoso.ben, "admin")),
        partial(contoso.run, a_revocation(contoso, contoso.chris, "admin", by=ben)),
    )
    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    roles = contoso.ledger.organization(contoso.organization_id).roles
    assert sum("admin" in held for held in roles.values()) == 1


def test_the_other_admin_goes_meanwhile(contoso: Contoso) -> None:
    grants(contoso, contoso.ben, "admin")
    removal = partial(contoso.removes, contoso.ben)
    with refused_at_second_sight(contoso, removal, LastAdmin):
        contoso.run(a_revocation(contoso, contoso.chris, "admin"))


def test_another_role_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    with decided_twice(contoso, partial(grants, contoso, contoso.david)):
        contoso.run(a_revocation(contoso, contoso.ben))
