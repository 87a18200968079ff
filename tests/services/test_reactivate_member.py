from functools import partial
from uuid import UUID, uuid4

from domain.member import Member
from domain.refusals import MemberNotActive, NotFound
from services.command import Actor
from services.reactivate_member import ReactivateMember
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


def a_reactivation(contoso: Contoso, of: UUID, by: Actor | None = None) -> ReactivateMember:
    return contoso.command(ReactivateMember, by or contoso.admin, member_id=of)


def test_a_reactivated_member_acts_and_gets_licenses_again(contoso: Contoso) -> None:
    contoso.deactivates(contoso.melissa)
    tells(
        contoso,
        a_reactivation(contoso, contoso.melissa),
        event(Member.MemberReactivated, originator_id=contoso.melissa),
    )
    contoso.assigns(contoso.buys(), contoso.melissa)
    tells_nothing(contoso, a_reactivation(contoso, contoso.melissa))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    is_done_once(contoso, a_reactivation(contoso, contoso.ben), member_id=contoso.david)
    is_done_once(contoso, a_reactivation(contoso, contoso.ben), member_id=uuid4())  # would be refused anyway


def test_a_repeat_does_not_reactivate_again(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    stays_done(contoso, a_reactivation(contoso, contoso.ben), partial(contoso.deactivates, contoso.ben))
    stays_done(contoso, a_reactivation(contoso, contoso.david), partial(contoso.deactivates, contoso.david))
    assert not contoso.ledger.member(contoso.organization_id, contoso.david).active
    stays_done(contoso, a_reactivation(contoso, contoso.ben), partial(contoso.removes, contoso.ben))


def test_sixteen_at_once_reactivate_once(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    has_one_effect(contoso, a_reactivation(contoso, contoso.ben), events=1)
    has_one_effect(contoso, a_reactivation(contoso, contoso.ben), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_reactivation(contoso, contoso.ben, actor))
    takes_an_active_member(contoso, another, lambda actor: a_reactivation(contoso, contoso.ben, actor))


def test_who_is_deactivated_cannot_undo_it(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    with contoso.refuses(MemberNotActive):
        contoso.run(a_reactivation(contoso, contoso.ben, Actor(id=contoso.ben, role="admin")))


def test_a_removed_or_unknown_member(contoso: Contoso, another: Contoso) -> None:
    contoso.removes(contoso.ben)
    with contoso.refuses(MemberNotActive, status="removed"):
        contoso.run(a_reactivation(contoso, contoso.ben))
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_reactivation(contoso, another.ben))


def test_removed_meanwhile(contoso: Contoso) -> None:
    contoso.deactivates(contoso.ben)
    removal = partial(contoso.removes, contoso.ben)
    with refused_at_second_sight(contoso, removal, MemberNotActive, status="removed"):
        contoso.run(a_reactivation(contoso, contoso.ben))


def test_deactivated_meanwhile(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.deactivates, contoso.ben)):
        assert contoso.run(a_reactivation(contoso, contoso.ben)).events == 1
