from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile
from domain.calendar import CHANGE_WINDOW, Period
from domain.invoice import Invoice
from domain.license_pool import Batch, Charge, LicensePool
from domain.payment import Payment
from domain.refusals import (
    LicensesStillAssigned,
    RemovalWindowPassed,
    SelfServiceDisabled,
    StaleVersion,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
)
from services.cancel_subscription import CancelSubscription
from services.ports import Receipt
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import POWER_BI_PRO_PRODUCT, PURCHASED_AT
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
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

PRODUCT_ID = POWER_BI_PRO_PRODUCT.product_id
FIRST_MONTH = Period(start=date(2025, 1, 31), end=date(2025, 2, 28))


def a_resize(contoso: Contoso, bought: UUID, total: int, **content: object) -> ResizeLicenses:
    return contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total, **content)


def test_adding_licenses_opens_a_batch(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=100)
    clock.now = PURCHASED_AT + timedelta(days=10)
    subscription, profile = contoso.subscription(bought), contoso.profile()
    resizing = a_resize(contoso, bought, 105)
    tells(
        contoso,
        resizing,
        event(BillingProfile.InvoiceNumbered, invoice_id=resizing.invoice_id, count=2),
        event(
            LicensePool.LicensesResized,
            subscription_id=bought,
            product_id=PRODUCT_ID,
            offer_id=subscription.price.offer_id,
            total=105,
            total_before=100,
            reason="increase",
            price=subscription.price,
            batches=(Batch(number=2, licenses=5, opened_at=clock.now),),
            removable_until=clock.now + CHANGE_WINDOW,
            charge=Charge(invoice_id=resizing.invoice_id, line=1, batch=2, cycle=FIRST_MONTH),
            document_id=resizing.invoice_id,
            credit_note_ids=(),
            over_assigned_until=None,
        ),
        event(
            Invoice.InvoiceIssued,
            originator_id=resizing.invoice_id,
            billing_profile_id=profile.id,
            number=f"{profile.prefix}-000002",
            reason="increase",
            total_minor=4_500,
            state="open",
        ),
        event(Invoice.CollectionStarted, amount_minor=4_500),
        event(Payment.PaymentAuthorized, amount_minor=4_500),
    )
    contoso.assigns(bought, contoso.ben)


def test_removing_licenses_takes_the_newest(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=100)
    clock.now += timedelta(days=1)
    contoso.run(a_resize(contoso, bought, 105))
    clock.now += timedelta(days=1)
    tells(
        contoso,
        a_resize(contoso, bought, 98, expected_total=105),
        event(BillingProfile.CreditNoteNumbered, count=1),
        event(BillingProfile.CreditNoteNumbered, count=2),
        event(
            LicensePool.LicensesResized,
            total=98,
            total_before=105,
            reason="decrease",
            batches=(
                Batch(number=2, licenses=0, opened_at=PURCHASED_AT + timedelta(days=1)),
                Batch(number=1, licenses=98, opened_at=PURCHASED_AT),
            ),
            removable_until=None,
            charge=None,
            document_id=None,
        ),
        event(Invoice.CreditNoteIssued, reason="licenses_removed", total_minor=6_500, due_minor=-6_500),
        event(Invoice.RefundCounted, amount_minor=6_500, due_minor=0),
        event(Invoice.CreditNoteIssued, reason="licenses_removed", total_minor=2_600, due_minor=-2_600),
        event(Invoice.RefundCounted, amount_minor=2_600, due_minor=0),
        event(Payment.RefundRequested, amount_minor=6_500),
        event(Payment.RefundRequested, amount_minor=2_600),
    )
    assert contoso.sandbox.refunded() == {"USD": 9_100}


def test_the_same_total_tells_nothing(contoso: Contoso) -> None:
    tells_nothing(contoso, a_resize(contoso, contoso.buys(licenses=100), 100))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    resizing = a_resize(contoso, bought, 105)
    is_done_once(contoso, resizing, total=106)
    is_done_once(contoso, resizing, total=301)  # would be refused anyway
    is_done_once(contoso, resizing, expected_total=105)


def test_a_retried_105_does_not_undo_a_colleagues_110(contoso: Contoso) -> None:
    bought = contoso.buys_centrally(contoso.melissa, licenses=100)
    to_110 = contoso.running(ResizeLicenses, contoso.admin, subscription_id=bought, total=110)
    stays_done(contoso, a_resize(contoso, bought, 105), to_110)
    assert contoso.pool(bought).total == 110


def test_a_retried_105_that_told_nothing_does_not_undo_it_either(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=105)
    stays_done(contoso, a_resize(contoso, bought, 105), lambda: contoso.run(a_resize(contoso, bought, 110)))
    assert contoso.pool(bought).total == 110


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    stays_done(
        contoso,
        a_resize(contoso, bought, 105, expected_total=100),
        contoso.running(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled"),
        contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"),
        partial(contoso.deactivates, contoso.melissa),
    )


def test_sixteen_at_once_resize_once(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    has_one_effect(contoso, a_resize(contoso, bought, 105, expected_total=100), events=8)
    has_one_effect(contoso, a_resize(contoso, bought, 105), events=0)


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(ResizeLicenses, actor, subscription_id=bought, total=5),
    )


def test_another_total_than_expected(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    with contoso.refuses(StaleVersion, expected=99, actual=100):
        contoso.run(a_resize(contoso, bought, 105, expected_total=99))


def test_a_total_changed_meanwhile_is_another_than_expected(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    to_110 = partial(contoso.run, a_resize(contoso, bought, 110))
    with refused_at_second_sight(contoso, to_110, StaleVersion, expected=100, actual=110):
        contoso.run(a_resize(contoso, bought, 105, expected_total=100))


def test_without_an_expected_total_the_last_word_counts(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    with decided_twice(contoso, partial(contoso.run, a_resize(contoso, bought, 110))):
        receipt = contoso.run(a_resize(contoso, bought, 105))
    told = contoso.ledger.told(contoso.organization_id, receipt)
    assert event(LicensePool.LicensesResized, total_before=110, total=105) in told


def test_many_who_expect_the_same_total(contoso: Contoso) -> None:
    """One is right; the others learn what it is now."""
    bought = contoso.buys(licenses=100)
    resizes = [a_resize(contoso, bought, 101 + number, expected_total=100) for number in range(12)]
    answers = at_once(*(partial(contoso.run, resize) for resize in resizes))
    won = [resize.total for resize, answer in zip(resizes, answers, strict=True) if isinstance(answer, Receipt)]
    assert won == [contoso.pool(bought).total]
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 11


def test_below_what_is_assigned(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    contoso.assigns(bought, contoso.ben, contoso.david)
    with contoso.refuses(LicensesStillAssigned, total=1, assigned=2):
        contoso.run(a_resize(contoso, bought, 1))


def test_an_assignment_meanwhile_stops_the_decrease(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    assigns = partial(contoso.assigns, bought, contoso.ben, contoso.david)
    with refused_at_second_sight(contoso, assigns, LicensesStillAssigned, total=1, assigned=2):
        contoso.run(a_resize(contoso, bought, 1))


def test_a_subscription_cancelled_meanwhile_is_not_resized(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with refused_at_second_sight(contoso, cancels, SubscriptionNotActive, state="disabled"):
        contoso.run(a_resize(contoso, bought, 5))


def test_a_scheduled_change_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    schedules = contoso.running(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=1)
    with decided_twice(contoso, schedules):
        contoso.run(a_resize(contoso, bought, 5))
    assert contoso.subscription(bought).scheduled_total == 1  # survives the immediate one


def test_a_policy_turned_off_meanwhile_stops_the_increase(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    off = contoso.running(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled")
    with refused_at_second_sight(contoso, off, SelfServiceDisabled):
        contoso.run(a_resize(contoso, bought, 5))


def test_the_policy_does_not_stop_a_decrease_nor_a_central_increase(contoso: Contoso) -> None:
    bought, central = contoso.buys(licenses=3), contoso.buys_centrally(contoso.melissa, licenses=3)
    contoso.run(contoso.command(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy="Disabled"))
    with contoso.refuses(SelfServiceDisabled):
        contoso.run(a_resize(contoso, bought, 4))
    contoso.run(a_resize(contoso, bought, 2))
    contoso.run(a_resize(contoso, central, 4))


def test_limits_of_the_total(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    with contoso.refuses(TooFewLicenses, total=0):
        contoso.run(a_resize(contoso, bought, 0))
    with contoso.refuses(TooManyLicenses, total=301, maximum=300):
        contoso.run(a_resize(contoso, bought, 301))
    for out_of_range in (-1, 1_000_001):
        with pytest.raises(ValidationError, match="total"):
            a_resize(contoso, bought, out_of_range)


def test_after_the_window_nothing_is_removed_at_once(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += CHANGE_WINDOW
    with contoso.refuses(RemovalWindowPassed, asked=1, removable_now=0):
        contoso.run(a_resize(contoso, bought, 2))


def test_a_refusal_is_not_remembered(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    resizing = a_resize(contoso, bought, 5, expected_total=4)
    with contoso.refuses(StaleVersion):
        contoso.run(resizing)
    contoso.run(a_resize(contoso, bought, 4))
    assert contoso.run(resizing).events == 5
    assert contoso.pool(bought).total == 5
