from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.calendar import CHANGE_WINDOW
from domain.license_pool import LicensePool
from domain.refusals import NotFound, SubscriptionNotActive
from domain.subscription import Subscription
from services.cancel_taken_over import CancelTakenOver
from services.command import Actor
from services.resize_licenses import ResizeLicenses
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    saves_of,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
)


def an_end(contoso: Contoso, bought: UUID, by: Actor | None = None, **content: Any) -> CancelTakenOver:
    content = {"reason": "project_ended", **content}
    return contoso.command(CancelTakenOver, by or contoso.admin, subscription_id=bought, **content)


def test_within_the_window_unused_days_come_back(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    clock.now += timedelta(days=5)
    ending = an_end(contoso, bought)
    contoso.run(ending)
    answer, _ = saves_of(contoso, ending)
    assert event(Subscription.SubscriptionCancelled, when="taken_over", purchaser_id=contoso.melissa) in answer.events
    assert event(LicensePool.LicensePoolClosed, reason="taken_over", assignments_ended=1) in answer.events
    assert contoso.sandbox.refunded() == {"USD": 3_450}


def test_outside_of_it_nothing_of_the_current_cycle_does(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    clock.now += CHANGE_WINDOW
    tells(
        contoso,
        an_end(contoso, bought),
        event(
            Subscription.SubscriptionCancelled,
            when="taken_over",
            reason="project_ended",
            credit_note_ids=(),
            cancelled_at=clock.now,
        ),
        event(LicensePool.LicensePoolClosed, reason="taken_over"),
    )
    assert contoso.sandbox.refunded() == {}
    assert contoso.subscription(bought).life == "disabled"


def test_also_of_somebody_who_left(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.removes(contoso.melissa)
    contoso.run(an_end(contoso, bought))
    assert contoso.subscription(bought).life == "disabled"
    assert contoso.sandbox.refunded() == {"USD": 4_200}


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, an_end(contoso, contoso.buys()), reason="other")
    has_one_effect(contoso, an_end(contoso, contoso.buys()), events=7)
    stays_done(contoso, an_end(contoso, contoso.buys()), lambda: contoso.removes(contoso.melissa))
    assert contoso.sandbox.refunded() == {"USD": 3 * 4_200}


def test_only_an_admin(contoso: Contoso, another: Contoso) -> None:
    for unknown in (another.buys(), uuid4()):
        with contoso.refuses(NotFound, what="subscription", key=str(unknown)):
            contoso.run(an_end(contoso, unknown))
    bought = contoso.buys()
    takes_one_of(contoso, {"admin"}, lambda actor: an_end(contoso, bought, actor))
    bought = contoso.buys()
    takes_an_active_member(contoso, another, lambda actor: an_end(contoso, bought, actor))


def test_one_that_has_ended(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(an_end(contoso, bought))
    with contoso.refuses(SubscriptionNotActive, state="disabled"):
        contoso.run(an_end(contoso, bought))


def test_licenses_added_meanwhile_come_back_as_well(contoso: Contoso) -> None:
    bought = contoso.buys()
    adds = contoso.running(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5)
    with decided_twice(contoso, adds):
        contoso.run(an_end(contoso, bought))
    assert contoso.sandbox.refunded() == {"USD": 7_000}
