from functools import partial
from uuid import uuid4

import pytest

from domain.license_pool import LicensePool
from domain.refusals import NotEnoughLicenses, SubscriptionNotActive, TooManyUsersAtOnce, UserNotInOrganization
from services.assign_licenses import AssignLicenses
from services.cancel_subscription import CancelSubscription
from services.ports import Receipt
from services.resize_licenses import ResizeLicenses
from services.unassign_licenses import UnassignLicenses
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    at_once,
    belongs_to_its_purchaser,
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    tells,
    tells_nothing,
)


def test_each_user_gets_a_license_and_an_event(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    assigning = contoso.command(
        AssignLicenses,
        contoso.buyer,
        subscription_id=bought,
        user_ids=(contoso.ben, contoso.david),
    )
    facts = {"subscription_id": bought, "product_id": "CFQ7TTC0H9MP", "total": 3}
    tells(
        contoso,
        assigning,
        event(LicensePool.LicenseAssigned, member_id=contoso.ben, assigned=1, **facts),
        event(LicensePool.LicenseAssigned, member_id=contoso.david, assigned=2, **facts),
    )
    assert contoso.holders(bought) == [contoso.ben, contoso.david]


def test_who_holds_a_license_is_left_alone(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=2)
    contoso.assigns(bought, contoso.ben)
    tells_nothing(
        contoso,
        contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben, contoso.ben)),
    )
    tells(
        contoso,
        contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben, contoso.david)),
        event(LicensePool.LicenseAssigned, member_id=contoso.david, assigned=2),
    )


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    assigning = contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben,))
    is_done_once(contoso, assigning, user_ids=(contoso.david,))
    is_done_once(contoso, assigning, subscription_id=uuid4())


def test_a_repeat_does_not_give_back_what_was_taken_meanwhile(contoso: Contoso) -> None:
    bought = contoso.buys()
    users = {"user_ids": (contoso.ben,)}
    stays_done(
        contoso,
        contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, **users),
        contoso.running(UnassignLicenses, contoso.buyer, subscription_ids=(bought,), **users),
    )
    assert contoso.holders(bought) == []


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    bought = contoso.buys()
    stays_done(
        contoso,
        contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben,)),
        lambda: contoso.removes(contoso.ben),
        contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"),
        lambda: contoso.removes(contoso.melissa),
    )


def test_sixteen_at_once_assign_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    users = (contoso.ben, contoso.david)
    assigning = contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=users)
    has_one_effect(contoso, assigning, events=2)
    again = contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=users)
    has_one_effect(contoso, again, events=0)


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(AssignLicenses, actor, subscription_id=bought, user_ids=(contoso.chris,)),
    )


def test_every_user_who_cannot_hold_one_is_named_and_nobody_gets_one(contoso: Contoso, another: Contoso) -> None:
    bought = contoso.buys(licenses=9)
    contoso.deactivates(contoso.david)
    contoso.removes(contoso.cynthia)
    stranger = uuid4()
    users = (contoso.ben, contoso.david, contoso.cynthia, another.ben, stranger)
    reasons = {
        str(contoso.david): "deactivated",
        str(contoso.cynthia): "removed",
        str(another.ben): "unknown",
        str(stranger): "unknown",
    }
    with contoso.refuses(UserNotInOrganization, reasons=reasons):
        contoso.run(contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=users))


def test_a_guest_may_hold_a_license(contoso: Contoso) -> None:
    bought = contoso.buys()
    (guest,) = contoso.generates(1, "guest")
    contoso.assigns(bought, guest)
    assert contoso.holders(bought) == [guest]


def test_twenty_at_once_and_not_twenty_one(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=30)
    users = contoso.generates(21)
    with contoso.refuses(TooManyUsersAtOnce, users=21, maximum=20):
        contoso.assigns(bought, *users)
    assert contoso.assigns(bought, *users[:20]).events == 20


def test_not_enough_licenses_gives_nobody_one(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=2)
    contoso.assigns(bought, contoso.chris)
    with contoso.refuses(NotEnoughLicenses, wanted=2, free=1):
        contoso.assigns(bought, contoso.ben, contoso.david)
    assert contoso.holders(bought) == [contoso.chris]


def test_a_refusal_is_not_remembered(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=1)
    assigning = contoso.command(
        AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben, contoso.david)
    )
    with contoso.refuses(NotEnoughLicenses):
        contoso.run(assigning)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=2))
    assert contoso.run(assigning).events == 2


def test_a_member_removed_meanwhile_gets_no_license(contoso: Contoso) -> None:
    bought = contoso.buys()
    removal = partial(contoso.removes, contoso.ben)
    reasons = {str(contoso.ben): "removed"}
    with refused_at_second_sight(contoso, removal, UserNotInOrganization, reasons=reasons):
        contoso.assigns(bought, contoso.ben)


def test_a_subscription_cancelled_meanwhile_gives_no_license(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with refused_at_second_sight(contoso, cancels, SubscriptionNotActive, state="disabled"):
        contoso.assigns(bought, contoso.ben)


def test_another_assignment_meanwhile_is_taken_into_account(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=2)
    with decided_twice(contoso, partial(contoso.assigns, bought, contoso.ben)):
        contoso.assigns(bought, contoso.david)
    assert contoso.holders(bought) == [contoso.ben, contoso.david]
    with decided_twice(
        contoso,
        contoso.running(
            UnassignLicenses,
            contoso.buyer,
            subscription_ids=(bought,),
            user_ids=(contoso.ben,),
        ),
    ):
        assert contoso.assigns(bought, contoso.ben).events == 1  # told nothing at first sight


@pytest.mark.parametrize("licenses", [1, 50])
def test_fifty_who_want_a_license_at_once(contoso: Contoso, licenses: int) -> None:
    """None is refused for bad luck, and no license is given twice."""
    bought = contoso.buys(licenses=licenses)
    users = contoso.generates(50)
    answers = at_once(*(partial(contoso.assigns, bought, user) for user in users))
    assert sum(isinstance(answer, Receipt) for answer in answers) == licenses
    refusals = [answer for answer in answers if not isinstance(answer, Receipt)]
    assert {(type(refusal), refusal.facts["free"]) for refusal in refusals} <= {(NotEnoughLicenses, 0)}
    assert sorted(contoso.holders(bought)) == sorted(
        user for user, answer in zip(users, answers, strict=True) if isinstance(answer, Receipt)
    )
