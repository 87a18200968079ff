from datetime import date
from functools import partial
from uuid import UUID

from domain.refusals import SubscriptionNotActive
from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    belongs_to_its_purchaser,
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    tells,
    tells_nothing,
)


def a_setting(contoso: Contoso, bought: UUID, *, on: bool) -> SetRecurringBilling:
    return contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=on)


def test_off_drops_a_scheduled_change(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=5))
    tells(
        contoso,
        a_setting(contoso, bought, on=False),
        event(
            Subscription.LicenseChangeWithdrawn,
            total=5,
            takes_effect_on=date(2025, 2, 28),
            reason="recurring_billing_off",
        ),
        event(Subscription.RecurringBillingTurnedOff, reason="requested", ends_on=date(2025, 2, 27)),
    )
    tells_nothing(contoso, a_setting(contoso, bought, on=False))


def test_on_again_renews(contoso: Contoso) -> None:
    bought = contoso.buys()
    tells_nothing(contoso, a_setting(contoso, bought, on=True))
    contoso.run(a_setting(contoso, bought, on=False))
    tells(
        contoso,
        a_setting(contoso, bought, on=True),
        event(Subscription.RecurringBillingTurnedOn, renews_on=date(2025, 2, 28)),
    )


def test_on_withdraws_a_cancellation_at_term_end(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(
        contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="term_end", reason="other")
    )
    tells(
        contoso,
        a_setting(contoso, bought, on=True),
        event(Subscription.CancellationWithdrawn, product_id="CFQ7TTC0H9MP"),
        event(Subscription.RecurringBillingTurnedOn, renews_on=date(2025, 2, 28)),
    )


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_setting(contoso, contoso.buys(), on=False), on=True)


def test_a_repeat_does_not_turn_it_off_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    stays_done(contoso, a_setting(contoso, bought, on=False), lambda: contoso.run(a_setting(contoso, bought, on=True)))
    assert contoso.subscription(bought).recurring_billing


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    stays_done(contoso, a_setting(contoso, bought, on=True), cancels, partial(contoso.removes, contoso.melissa))


def test_sixteen_at_once_turn_it_off_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    has_one_effect(contoso, a_setting(contoso, bought, on=False), events=1)
    has_one_effect(contoso, a_setting(contoso, bought, on=False), events=0)


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(SetRecurringBilling, actor, subscription_id=bought, on=False),
    )


def test_a_subscription_cancelled_meanwhile_does_not_renew(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(a_setting(contoso, bought, on=False))
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with refused_at_second_sight(contoso, cancels, SubscriptionNotActive, state="disabled"):
        contoso.run(a_setting(contoso, bought, on=True))


def test_a_change_scheduled_meanwhile_is_dropped_too(contoso: Contoso) -> None:
    bought = contoso.buys()
    schedules = contoso.running(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=5)
    with decided_twice(contoso, schedules):
        receipt = contoso.run(a_setting(contoso, bought, on=False))
    assert receipt.events == 2
