from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile
from domain.refusals import MemberNotActive, NotFound
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.profile_questions import takes_a_profile_role
from tests.services.questions import (
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    tells,
    tells_nothing,
)


def a_grant(
    contoso: Contoso,
    member_id: UUID,
    role: str = "contributor",
    by: Actor | None = None,
    profile_id: UUID | None = None,
) -> GrantProfileRole:
    on_it: dict[str, Any] = {"billing_profile_id": profile_id or contoso.can_pay(contoso.melissa)}
    return contoso.command(GrantProfileRole, by or contoso.buyer, member_id=member_id, role=role, **on_it)


def test_a_role_is_told_with_the_one_before(contoso: Contoso) -> None:
    ben = contoso.ben
    told = event(BillingProfile.ProfileRoleGranted, member_id=ben, role="reader", role_before=None)
    tells(contoso, a_grant(contoso, ben, "reader"), told)
    told = event(BillingProfile.ProfileRoleGranted, member_id=ben, role="contributor", role_before="reader")
    tells(contoso, a_grant(contoso, ben), told)
    tells_nothing(contoso, a_grant(contoso, ben))
    tells_nothing(contoso, a_grant(contoso, contoso.melissa))  # who owns it needs none


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_grant(contoso, contoso.ben), role="reader")
    has_one_effect(contoso, a_grant(contoso, contoso.david), events=1)
    later = a_grant(contoso, contoso.ben, "reader")
    stays_done(contoso, a_grant(contoso, contoso.ben, "invoice_manager"), lambda: contoso.run(later))
    assert contoso.profile().role_of(contoso.ben) == "reader"


def test_only_its_owner_decides(contoso: Contoso, another: Contoso) -> None:
    takes_a_profile_role(
        contoso, another, "manage", lambda actor, of: a_grant(contoso, contoso.chris, "reader", actor, of)
    )


def test_only_active_people_of_the_organization_have_roles(contoso: Contoso, another: Contoso) -> None:
    contoso.can_pay(contoso.melissa)
    contoso.deactivates(contoso.david)
    for member_id, refusal in ((contoso.david, MemberNotActive), (another.ben, NotFound), (uuid4(), NotFound)):
        with contoso.refuses(refusal):
            contoso.run(a_grant(contoso, member_id))
    granting = a_grant(contoso, contoso.ben)
    with refused_at_second_sight(contoso, lambda: contoso.removes(contoso.ben), MemberNotActive, status="removed"):
        contoso.run(granting)


def test_an_unknown_role_is_refused_at_the_edge(contoso: Contoso) -> None:
    with pytest.raises(ValidationError, match="role"):
        a_grant(contoso, contoso.ben, "owner", profile_id=uuid4())
