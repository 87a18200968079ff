from functools import partial

from domain.license_pool import LicensePool
from domain.refusals import MemberStillActive, NotAllowed, NotFound
from services.command import Actor
from services.release_licenses import ReleaseLicenses
from tests.examples import an_id
from tests.scenario import event
from tests.services.contoso import OPERATOR, THE_OTHER_FOUR, Contoso
from tests.services.questions import decided_twice, has_one_effect, is_done_once, refused_at_second_sight, tells

BEN_ROW = THE_OTHER_FOUR[0]


def a_release(contoso: Contoso, by: Actor = OPERATOR) -> ReleaseLicenses:
    return contoso.command(ReleaseLicenses, by, member_id=contoso.ben, after_position=contoso.history()[-1].position)


def test_each_license_is_free_with_an_event(contoso: Contoso) -> None:
    first, second = contoso.buys(), contoso.buys()
    contoso.assigns(first, contoso.ben)
    contoso.assigns(second, contoso.ben, contoso.david)
    contoso.half_removes(contoso.ben)
    tells(
        contoso,
        a_release(contoso),
        event(
            LicensePool.LicenseUnassigned,
            subscription_id=first,
            product_id="CFQ7TTC0H9MP",
            member_id=contoso.ben,
            assigned=0,
            total=3,
            reason="member_removed",
        ),
        event(LicensePool.LicenseUnassigned, subscription_id=second, assigned=1, reason="member_removed"),
    )
    assert contoso.run(a_release(contoso)).events == 0


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    contoso.half_removes(contoso.ben)
    is_done_once(contoso, a_release(contoso), after_position=1)
    is_done_once(contoso, a_release(contoso), member_id=contoso.david)  # would be refused anyway


def test_sixteen_at_once_release_once(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    contoso.half_removes(contoso.ben)
    has_one_effect(contoso, a_release(contoso), events=1)
    has_one_effect(contoso, a_release(contoso), events=0)


def test_it_takes_a_role_that_manages_members(contoso: Contoso) -> None:
    contoso.half_removes(contoso.ben)
    for role in ("purchaser", "billing_reader", "auditor", "service"):
        with contoso.refuses(NotAllowed):
            contoso.run(a_release(contoso, Actor(id=an_id(9), role=role)))
    contoso.run(a_release(contoso, contoso.admin))


def test_who_was_not_removed_keeps_them(contoso: Contoso, another: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    with contoso.refuses(MemberStillActive, member_id=str(contoso.ben)):
        contoso.run(a_release(contoso))
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_release(contoso).model_copy(update={"member_id": another.ben}))


def test_who_is_restored_meanwhile_keeps_them(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    contoso.half_removes(contoso.ben)
    with refused_at_second_sight(contoso, partial(contoso.imports, BEN_ROW), MemberStillActive):
        contoso.run(a_release(contoso))


def test_a_pool_that_changes_meanwhile_is_loaded_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.half_removes(contoso.ben)
    with decided_twice(contoso, partial(contoso.assigns, bought, contoso.david)):
        contoso.run(a_release(contoso))
    assert contoso.holders(bought) == [contoso.david]
