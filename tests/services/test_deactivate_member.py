from functools import partial
from uuid import UUID, uuid4

from domain.member import Member
from domain.refusals import LastAdmin, MemberNotActive, NotFound
from services.command import Actor
from services.deactivate_member import DeactivateMember
from services.grant_role import GrantRole
from services.reactivate_member import ReactivateMember
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


def a_deactivation(contoso: Contoso, of: UUID, by: Actor | None = None) -> DeactivateMember:
    return contoso.command(DeactivateMember, by or contoso.admin, member_id=of)


def test_a_deactivated_member_keeps_licenses(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    tells(contoso, a_deactivation(contoso, contoso.ben), event(Member.MemberDeactivated, originator_id=contoso.ben))
    tells_nothing(contoso, a_deactivation(contoso, contoso.ben))
    assert contoso.holders(bought) == [contoso.ben]


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_deactivation(contoso, contoso.ben), member_id=contoso.david)
    is_done_once(contoso, a_deactivation(contoso, contoso.ben), member_id=uuid4())  # would be refused anyway


def test_a_repeat_does_not_deactivate_again(contoso: Contoso) -> None:
    reactivates = contoso.running(ReactivateMember, contoso.admin, member_id=contoso.ben)
    stays_done(contoso, a_deactivation(contoso, contoso.ben), reactivates)
    assert contoso.ledger.member(contoso.organization_id, contoso.ben).active
    stays_done(contoso, a_deactivation(contoso, contoso.ben), partial(contoso.removes, contoso.ben))


def test_sixteen_at_once_deactivate_once(contoso: Contoso) -> None:
    has_one_effect(contoso, a_deactivation(contoso, contoso.ben), events=1)
    has_one_effect(contoso, a_deactivation(contoso, contoso.ben), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_deactivation(contoso, contoso.ben, actor))
    takes_an_active_member(contoso, another, lambda actor: a_deactivation(contoso, contoso.ben, actor))


def test_a_removed_or_unknown_member(contoso: Contoso, another: Contoso) -> None:
    contoso.removes(contoso.ben)
    with contoso.refuses(MemberNotActive, status="removed"):
        contoso.run(a_deactivation(contoso, contoso.ben))
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_deactivation(contoso, another.ben))


def test_the_last_admin_stays_active(contoso: Contoso) -> None:
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.run(a_deactivation(contoso, contoso.chris))
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    contoso.run(a_deactivation(contoso, contoso.chris))
    with contoso.refuses(MemberNotActive, status="deactivated"):
        contoso.run(a_deactivation(contoso, contoso.david))


def test_the_other_admin_goes_meanwhile(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    revokes = contoso.running(RevokeRole, contoso.admin, member_id=contoso.ben, role="admin")
    with refused_at_second_sight(contoso, revokes, LastAdmin):
        contoso.run(a_deactivation(contoso, contoso.chris))


def test_deactivated_by_another_meanwhile(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.deactivates, contoso.ben)):
        assert contoso.run(a_deactivation(contoso, contoso.ben)).events == 0


def test_removed_by_another_meanwhile(contoso: Contoso) -> None:
    removal = partial(contoso.removes, contoso.ben)
    with refused_at_second_sight(contoso, removal, MemberNotActive, status="removed"):
        contoso.run(a_deactivation(contoso, contoso.ben))


def test_an_admin_who_cannot_act_does_not_count(contoso: Contoso) -> None:
    """Ben administers too, and is deactivated: nobody but Chris is left who could let him in again."""
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    contoso.run(a_deactivation(contoso, contoso.ben))
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.run(a_deactivation(contoso, contoso.chris))
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.removes(contoso.chris)
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.run(contoso.command(RevokeRole, contoso.admin, member_id=contoso.chris, role="admin"))
