from uuid import UUID

from domain.billing_profile import BillingProfile
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.revoke_profile_role import RevokeProfileRole
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.profile_questions import takes_a_profile_role
from tests.services.questions import decided_twice, has_one_effect, is_done_once, stays_done, tells, tells_nothing


def a_revocation(
    contoso: Contoso, member_id: UUID, by: Actor | None = None, profile_id: UUID | None = None
) -> RevokeProfileRole:
    profile_id = profile_id or contoso.can_pay(contoso.melissa)
    return contoso.command(RevokeProfileRole, by or contoso.buyer, billing_profile_id=profile_id, member_id=member_id)


def grants(contoso: Contoso, member_id: UUID) -> None:
    profile_id = contoso.can_pay(contoso.melissa)
    role = {"billing_profile_id": profile_id, "member_id": member_id, "role": "contributor"}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **role))


def test_the_role_that_ends_is_told(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    told = event(BillingProfile.ProfileRoleRevoked, member_id=contoso.ben, role="contributor")
    tells(contoso, a_revocation(contoso, contoso.ben), told)
    tells_nothing(contoso, a_revocation(contoso, contoso.ben))
    tells_nothing(contoso, a_revocation(contoso, contoso.melissa))
    assert contoso.profile().role_of(contoso.melissa) == "owner"  # who owns it stays


def test_also_of_somebody_who_left(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    contoso.removes(contoso.ben)
    tells(contoso, a_revocation(contoso, contoso.ben), event(BillingProfile.ProfileRoleRevoked))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    has_one_effect(contoso, a_revocation(contoso, contoso.ben), events=1)
    is_done_once(contoso, a_revocation(contoso, contoso.ben), member_id=contoso.david)
    stays_done(contoso, a_revocation(contoso, contoso.ben), lambda: grants(contoso, contoso.ben))
    assert contoso.profile().role_of(contoso.ben) == "contributor"


def test_only_its_owner_decides(contoso: Contoso, another: Contoso) -> None:
    takes_a_profile_role(contoso, another, "manage", lambda actor, of: a_revocation(contoso, contoso.chris, actor, of))


def test_another_grant_meanwhile(contoso: Contoso) -> None:
    grants(contoso, contoso.ben)
    revoking = a_revocation(contoso, contoso.ben)
    with decided_twice(contoso, lambda: grants(contoso, contoso.david)):
        contoso.run(revoking)
    assert contoso.profile().roles == {contoso.david: "contributor"}
