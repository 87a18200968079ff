from datetime import date
from functools import partial
from uuid import UUID

from domain.refusals import RecurringBillingOff, SubscriptionNotActive, TooFewLicenses, TooManyLicenses
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


def a_schedule(contoso: Contoso, bought: UUID, total: int | None) -> ScheduleLicenses:
    return contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=total)


def test_the_total_is_for_the_next_term(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    contoso.assigns(bought, contoso.ben, contoso.david)
    facts = {"product_id": "CFQ7TTC0H9MP", "takes_effect_on": date(2025, 2, 28)}
    tells(
        contoso,
        a_schedule(contoso, bought, 1),  # also below what is assigned
        event(Subscription.LicenseChangeScheduled, total=1, total_scheduled_before=None, **facts),
    )
    tells(
        contoso,
        a_schedule(contoso, bought, 5),
        event(Subscription.LicenseChangeScheduled, total=5, total_scheduled_before=1, **facts),
    )
    tells_nothing(contoso, a_schedule(contoso, bought, 5))
    assert contoso.pool(bought).total == 3


def test_without_a_total_it_is_withdrawn(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    tells_nothing(contoso, a_schedule(contoso, bought, None))
    contoso.run(a_schedule(contoso, bought, 5))
    tells(
        contoso,
        a_schedule(contoso, bought, None),
        event(Subscription.LicenseChangeWithdrawn, total=5, takes_effect_on=date(2025, 2, 28), reason="requested"),
    )


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    is_done_once(contoso, a_schedule(contoso, bought, 5), total=None)
    is_done_once(contoso, a_schedule(contoso, bought, 5), total=0)  # would be refused anyway


def test_a_repeat_does_not_bring_back_what_was_withdrawn(contoso: Contoso) -> None:
    bought = contoso.buys()
    stays_done(contoso, a_schedule(contoso, bought, 5), lambda: contoso.run(a_schedule(contoso, bought, None)))
    assert contoso.subscription(bought).scheduled_total is None


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    stays_done(contoso, a_schedule(contoso, bought, 5), cancels, partial(contoso.removes, contoso.melissa))


def test_sixteen_at_once_schedule_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    has_one_effect(contoso, a_schedule(contoso, bought, 5), events=1)
    has_one_effect(contoso, a_schedule(contoso, bought, 5), events=0)


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(ScheduleLicenses, actor, subscription_id=bought, total=5),
    )


def test_limits_of_the_total(contoso: Contoso) -> None:
    bought = contoso.buys()
    with contoso.refuses(TooFewLicenses, total=0):
        contoso.run(a_schedule(contoso, bought, 0))
    with contoso.refuses(TooManyLicenses, total=301, maximum=300):
        contoso.run(a_schedule(contoso, bought, 301))


def test_recurring_billing_turned_off_meanwhile_stops_it(contoso: Contoso) -> None:
    bought = contoso.buys()
    off = contoso.running(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False)
    scheduling = a_schedule(contoso, bought, 5)
    with refused_at_second_sight(contoso, off, RecurringBillingOff):
        contoso.run(scheduling)
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=True))
    assert contoso.run(scheduling).events == 1  # the refusal is not remembered


def test_a_subscription_cancelled_meanwhile_has_no_next_term(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with refused_at_second_sight(contoso, cancels, SubscriptionNotActive):
        contoso.run(a_schedule(contoso, bought, 5))


def test_another_schedule_meanwhile_is_replaced(contoso: Contoso) -> None:
    bought = contoso.buys()
    with decided_twice(contoso, partial(contoso.run, a_schedule(contoso, bought, 4))):
        receipt = contoso.run(a_schedule(contoso, bought, 5))
    assert contoso.ledger.told(contoso.organization_id, receipt) == [
        event(Subscription.LicenseChangeScheduled, total=5, total_scheduled_before=4)
    ]
