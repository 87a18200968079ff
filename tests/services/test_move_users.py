from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.calendar import CHANGE_WINDOW
from domain.license_pool import LicensePool
from domain.refusals import NotAllowed, NotEnoughLicenses, NotFound, OtherProduct, SubscriptionNotActive
from domain.subscription import Subscription
from services.assign_licenses import AssignLicenses
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.ledger import offer_id_of
from services.move_users import MoveUsers
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
)


@pytest.fixture
def bought(contoso: Contoso) -> UUID:
    """Three licenses of Melissa's, of which Ben and David hold two."""
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    return bought


@pytest.fixture
def central(contoso: Contoso) -> UUID:
    """Three licenses bought centrally."""
    return contoso.buys_centrally(contoso.chris)


def a_move(contoso: Contoso, bought: UUID, into: UUID, by: Actor | None = None, **content: Any) -> MoveUsers:
    return contoso.command(MoveUsers, by or contoso.admin, subscription_id=bought, target_id=into, **content)


def an_assignment(contoso: Contoso, central: UUID, *users: UUID) -> AssignLicenses:
    return contoso.command(AssignLicenses, contoso.admin, subscription_id=central, user_ids=users)


def test_holders_move_and_the_purchase_ends(contoso: Contoso, clock: Clock, bought: UUID, central: UUID) -> None:
    clock.now += CHANGE_WINDOW  # nothing of the cycle comes back
    former, target = contoso.pool(bought).id, contoso.pool(central).id
    tells(
        contoso,
        a_move(contoso, bought, central, reason="project_ended"),
        event(Subscription.SubscriptionCancelled, originator_id=bought, when="taken_over", reason="project_ended"),
        *[
            event(LicensePool.LicenseUnassigned, originator_id=former, member_id=one, reason="users_moved")
            for one in (contoso.ben, contoso.david)
        ],
        event(LicensePool.LicensePoolClosed, originator_id=former, assignments_ended=0, reason="taken_over"),
        *[
            event(LicensePool.LicenseAssigned, originator_id=target, member_id=one)
            for one in (contoso.ben, contoso.david)
        ],
    )
    assert contoso.holders(central) == [contoso.ben, contoso.david]
    assert contoso.sandbox.refunded() == {}


def test_within_the_window_what_is_unused_comes_back(contoso: Contoso, bought: UUID, central: UUID) -> None:
    contoso.run(a_move(contoso, bought, central))
    assert contoso.sandbox.refunded() == {"USD": 4_200}


def test_who_is_deactivated_keeps_a_license(contoso: Contoso, bought: UUID, central: UUID) -> None:
    contoso.deactivates(contoso.ben)
    contoso.run(a_move(contoso, bought, central))
    assert contoso.holders(central) == [contoso.ben, contoso.david]


def test_all_or_nobody(contoso: Contoso, bought: UUID, central: UUID) -> None:
    contoso.run(an_assignment(contoso, central, contoso.cynthia, contoso.chris))
    with contoso.refuses(NotEnoughLicenses, wanted=2, free=1):
        contoso.run(a_move(contoso, bought, central))
    assert contoso.holders(bought) == [contoso.ben, contoso.david]


def test_more_than_can_be_assigned_at_once(contoso: Contoso) -> None:
    bought, central = contoso.buys(licenses=25), contoso.buys_centrally(contoso.chris, licenses=25)
    users = contoso.generates(21)
    contoso.assigns(bought, *users[:20])
    contoso.assigns(bought, users[20])
    contoso.run(a_move(contoso, bought, central))
    assert contoso.holders(central) == users


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, bought: UUID, central: UUID) -> None:
    moving = a_move(contoso, bought, central)
    has_one_effect(contoso, moving, events=11)
    is_done_once(contoso, moving, reason="too_expensive")
    ending = {"subscription_id": central, "when": "now", "reason": "other"}
    stays_done(contoso, moving, contoso.running(CancelSubscription, contoso.admin, **ending))


def test_only_an_admin(contoso: Contoso, another: Contoso, bought: UUID, central: UUID) -> None:
    for unknown in (another.buys(), uuid4()):
        with contoso.refuses(NotFound, what="subscription", key=str(unknown)):
            contoso.run(a_move(contoso, unknown, central))
        with contoso.refuses(NotFound, what="subscription", key=str(unknown)):
            contoso.run(a_move(contoso, bought, unknown))
    takes_one_of(contoso, {"admin"}, lambda actor: a_move(contoso, bought, central, actor))
    again = contoso.buys()
    takes_an_active_member(contoso, another, lambda actor: a_move(contoso, again, central, actor))


def test_into_a_central_one_of_the_same_product_that_is_active(contoso: Contoso, bought: UUID, central: UUID) -> None:
    own = contoso.buys()
    with contoso.refuses(NotAllowed):
        contoso.run(a_move(contoso, bought, own))
    other = contoso.lists()
    buying = contoso.command(
        BuySubscription,
        contoso.admin,
        offer_id=offer_id_of(other),
        licenses=3,
        channel="central",
        purchaser_id=contoso.chris,
    )
    contoso.run(buying)
    with contoso.refuses(OtherProduct, product_id=other.product_id):
        contoso.run(a_move(contoso, bought, buying.subscription_id))
    with contoso.refuses(OtherProduct):
        contoso.run(a_move(contoso, central, central))  # into itself
    ending = {"subscription_id": central, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.admin, **ending))
    with contoso.refuses(SubscriptionNotActive, state="disabled"):
        contoso.run(a_move(contoso, bought, central))


def test_a_license_that_is_taken_meanwhile(contoso: Contoso, bought: UUID, central: UUID) -> None:
    contoso.run(an_assignment(contoso, central, contoso.chris))
    takes = an_assignment(contoso, central, contoso.cynthia)
    with refused_at_second_sight(contoso, lambda: contoso.run(takes), NotEnoughLicenses, wanted=2, free=1):
        contoso.run(a_move(contoso, bought, central))


def test_another_holder_meanwhile_moves_as_well(contoso: Contoso, clock: Clock, bought: UUID, central: UUID) -> None:
    clock.now += timedelta(days=1)
    with decided_twice(contoso, lambda: contoso.assigns(bought, contoso.cynthia)):
        contoso.run(a_move(contoso, bought, central))
    assert contoso.holders(central) == [contoso.ben, contoso.david, contoso.cynthia]


def test_on_one_profile(contoso: Contoso, bought: UUID) -> None:
    """Both are billed on Melissa's: what is told of the profile is told once."""
    central = contoso.buys_centrally(contoso.melissa)
    contoso.run(a_move(contoso, bought, central))
    assert contoso.holders(central) == [contoso.ben, contoso.david]
    assert contoso.profile().credit_notes == 1
