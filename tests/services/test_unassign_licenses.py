from functools import partial
from uuid import UUID

from domain.license_pool import LicensePool
from domain.refusals import NotFound, TooManyUsersAtOnce
from services.assign_licenses import AssignLicenses
from services.cancel_subscription import CancelSubscription
from services.ports import Receipt
from services.unassign_licenses import UnassignLicenses
from tests.examples import A_STRANGER
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    at_once,
    belongs_to_its_purchaser,
    decided_twice,
    has_one_effect,
    is_done_once,
    stays_done,
    tells,
    tells_nothing,
)


def an_unassignment(contoso: Contoso, *bought: UUID, users: tuple[UUID, ...]) -> UnassignLicenses:
    return contoso.command(UnassignLicenses, contoso.buyer, subscription_ids=bought, user_ids=users)


def test_each_license_taken_is_an_event_and_free_at_once(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=2)
    contoso.assigns(bought, contoso.ben, contoso.david)
    facts = {"subscription_id": bought, "product_id": "CFQ7TTC0H9MP", "total": 2, "reason": "requested"}
    tells(
        contoso,
        an_unassignment(contoso, bought, users=(contoso.ben, contoso.david)),
        event(LicensePool.LicenseUnassigned, member_id=contoso.ben, assigned=1, **facts),
        event(LicensePool.LicenseUnassigned, member_id=contoso.david, assigned=0, **facts),
    )
    contoso.assigns(bought, contoso.cynthia, contoso.melissa)


def test_over_several_subscriptions(contoso: Contoso) -> None:
    first, second, third = (contoso.buys() for _ in range(3))
    contoso.assigns(first, contoso.ben)
    contoso.assigns(third, contoso.ben)
    tells(
        contoso,
        an_unassignment(contoso, first, second, third, first, users=(contoso.ben,)),
        event(LicensePool.LicenseUnassigned, subscription_id=first, member_id=contoso.ben),
        event(LicensePool.LicenseUnassigned, subscription_id=third, member_id=contoso.ben),
    )


def test_all_of_the_subscriptions_or_none(contoso: Contoso, another: Contoso) -> None:
    own, elsewhere = contoso.buys(), another.buys()
    contoso.assigns(own, contoso.ben)
    with contoso.refuses(NotFound, key=str(elsewhere)):
        contoso.run(an_unassignment(contoso, own, elsewhere, users=(contoso.ben,)))
    assert contoso.holders(own) == [contoso.ben]


def test_who_holds_none_is_left_alone(contoso: Contoso) -> None:
    bought = contoso.buys()
    tells_nothing(contoso, an_unassignment(contoso, bought, users=(contoso.ben, A_STRANGER)))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    unassigning = an_unassignment(contoso, bought, users=(contoso.ben,))
    is_done_once(contoso, unassigning, user_ids=(contoso.ben, contoso.david))
    is_done_once(contoso, unassigning, subscription_ids=(A_STRANGER,))  # would be refused anyway


def test_a_repeat_does_not_take_what_was_given_again_meanwhile(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    again = contoso.running(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben,))
    stays_done(contoso, an_unassignment(contoso, bought, users=(contoso.ben,)), again)
    assert contoso.holders(bought) == [contoso.ben]


def test_one_that_told_nothing_stays_done(contoso: Contoso) -> None:
    bought = contoso.buys()
    stays_done(
        contoso,
        an_unassignment(contoso, bought, users=(contoso.ben,)),
        partial(contoso.assigns, bought, contoso.ben),
        partial(contoso.removes, contoso.melissa),
    )
    assert contoso.holders(bought) == [contoso.ben]


def test_sixteen_at_once_unassign_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    users = (contoso.ben, contoso.david)
    has_one_effect(contoso, an_unassignment(contoso, bought, users=users), events=2)
    has_one_effect(contoso, an_unassignment(contoso, bought, users=users), events=0)


def test_different_commands_at_once_unassign_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    commands = [an_unassignment(contoso, bought, users=(contoso.ben,)) for _ in range(8)]
    answers = at_once(*(partial(contoso.run, command) for command in commands))
    assert sorted(answer.events for answer in answers if isinstance(answer, Receipt)) == [0] * 7 + [1]


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(
            UnassignLicenses, actor, subscription_ids=(bought,), user_ids=(contoso.chris,)
        ),
    )


def test_twenty_at_once_and_not_twenty_one(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=30)
    users = contoso.generates(21)
    contoso.assigns(bought, *users[:20])
    with contoso.refuses(TooManyUsersAtOnce, users=21, maximum=20):
        contoso.run(an_unassignment(contoso, bought, users=tuple(users)))
    assert contoso.run(an_unassignment(contoso, bought, users=(*users[:20], users[0]))).events == 20


def test_a_deactivated_member_gives_back_the_license(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.deactivates(contoso.ben)
    assert contoso.holders(bought) == [contoso.ben]
    contoso.run(an_unassignment(contoso, bought, users=(contoso.ben,)))
    assert contoso.holders(bought) == []


def test_after_cancelling_nobody_holds_one(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))
    tells_nothing(contoso, an_unassignment(contoso, bought, users=(contoso.ben,)))


def test_an_assignment_meanwhile_is_taken_into_account(contoso: Contoso) -> None:
    bought = contoso.buys()
    with decided_twice(contoso, partial(contoso.assigns, bought, contoso.ben)):
        receipt = contoso.run(an_unassignment(contoso, bought, users=(contoso.ben,)))
    assert receipt.events == 1  # told nothing at first sight


def test_a_cancellation_meanwhile_leaves_nothing_to_take(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with decided_twice(contoso, cancels):
        receipt = contoso.run(an_unassignment(contoso, bought, users=(contoso.ben,)))
    assert receipt.events == 0
