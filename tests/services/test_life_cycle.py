"""What the calendar brings, taken by the run or by whichever command comes first."""

from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest

from domain.invoice import Invoice
from domain.license_pool import LicensePool
from domain.offer import OfferTerms
from domain.payment import Payment
from domain.refusals import NotEnoughLicenses
from domain.subscription import Subscription
from services.assign_licenses import AssignLicenses
from services.cancel_subscription import CancelSubscription
from services.ledger import offer_id_of
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.schedule_price import SchedulePrice
from services.set_recurring_billing import SetRecurringBilling
from services.withdraw_offer import WithdrawOffer
from tests.scenario import event
from tests.services.contoso import FOR_A_YEAR, MONTHLY, PAID_YEARLY, Clock, Contoso
from tests.services.questions import saves_of

FEB_28, MAR_31 = date(2025, 2, 28), date(2025, 3, 31)  # the terms of what is bought on Jan 31


def schedules(contoso: Contoso, bought: UUID, total: int) -> None:
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=total))


def stops(contoso: Contoso, bought: UUID) -> None:
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False))


def told_since(contoso: Contoso, before: int) -> list[str]:
    return [type(told).__name__ for told in contoso.told()[before:]]


# Renewals.


def test_a_term_is_renewed_on_its_day_and_billed_for_all_licenses(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.advances(date(2025, 2, 27))
    assert contoso.subscription(bought).term_number == 0
    contoso.advances(FEB_28)
    subscription, pool = contoso.subscription(bought), contoso.pool(bought)
    assert (subscription.term.start, subscription.term.end) == (FEB_28, MAR_31)  # counted from the anchor always
    assert [(batch.number, batch.licenses) for batch in pool.batches] == [(2, 3)]
    renewal = contoso.invoices()[-1]
    assert (renewal.due_on, renewal.total_minor, renewal.status) == (FEB_28, 4_200, "paid")
    assert renewal.line(1).kind == "renewal"


@pytest.mark.parametrize(("terms", "day", "kind"), [(FOR_A_YEAR, FEB_28, "cycle"), (PAID_YEARLY, None, None)])
def test_a_yearly_term_is_charged_by_its_plan(
    contoso: Contoso, terms: OfferTerms, day: date | None, kind: str | None
) -> None:
    bought = contoso.buys(terms=terms)
    contoso.advances(MAR_31 - timedelta(days=1))
    invoices = contoso.invoices()[1:]
    assert [(invoice.due_on, invoice.line(1).kind) for invoice in invoices] == ([(day, kind)] if day else [])
    assert contoso.subscription(bought).term_number == 0
    assert len(contoso.pool(bought).batches) == 1  # a cycle opens none
    contoso.advances(date(2026, 1, 31))
    assert contoso.subscription(bought).term_number == 1
    assert contoso.invoices()[-1].line(1).kind == "renewal"


def test_the_scheduled_total_takes_effect(contoso: Contoso) -> None:
    bought = contoso.buys()
    schedules(contoso, bought, 5)
    contoso.advances(FEB_28)
    assert contoso.pool(bought).total == 5
    assert contoso.subscription(bought).scheduled_total is None
    assert contoso.invoices()[-1].total_minor == 7_000


def test_the_price_is_that_of_the_terms_start(contoso: Contoso) -> None:
    terms = contoso.lists()
    bought = contoso.buys(terms=terms)
    for day, price in ((FEB_28, 1_500), (date(2025, 3, 1), 1_600)):
        versions = {"offer_id": offer_id_of(terms), "effective_on": day, "unit_price_minor": price}
        contoso.run(contoso.in_catalog(SchedulePrice, **versions))
    contoso.advances(date(2025, 3, 10))  # late
    assert contoso.subscription(bought).price.unit_price_minor == 1_500
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=4))
    assert contoso.invoices()[-1].line(1).unit_price_minor == 1_500  # for added ones as well
    contoso.advances(MAR_31)
    assert contoso.subscription(bought).price.unit_price_minor == 1_600


def test_an_offer_that_is_withdrawn_does_not_renew(contoso: Contoso) -> None:
    terms = contoso.lists()
    bought = contoso.buys(terms=terms)
    contoso.run(contoso.in_catalog(WithdrawOffer, offer_id=offer_id_of(terms), withdrawn_on=FEB_28))
    before = len(contoso.told())
    contoso.advances(FEB_28)
    assert event(Subscription.RecurringBillingTurnedOff, reason="offer_withdrawn") in contoso.told()[before:]
    assert contoso.subscription(bought).life == "expired"


def test_a_purchaser_who_left_is_not_charged_for_a_new_term(contoso: Contoso) -> None:
    bought = contoso.buys(terms=FOR_A_YEAR)
    contoso.assigns(bought, contoso.ben)
    contoso.removes(contoso.melissa)
    before = len(contoso.told())
    contoso.advances(FEB_28)
    assert event(Subscription.RecurringBillingTurnedOff, reason="purchaser_left") in contoso.told()[before:]
    assert contoso.holders(bought) == [contoso.ben]
    assert contoso.invoices()[-1].line(1).kind == "cycle"  # a term is owed as a whole
    contoso.advances(date(2026, 1, 31))
    assert contoso.subscription(bought).life == "expired"


def test_renewals_of_one_day_share_an_invoice(contoso: Contoso) -> None:
    first, second = contoso.buys(licenses=1), contoso.buys(licenses=2)
    contoso.advances(FEB_28)
    *_, renewal = contoso.invoices()
    assert len(contoso.invoices()) == 3
    assert {line.subscription_id: line.amount_minor for line in renewal.lines} == {first: 1_400, second: 2_800}
    assert contoso.sandbox.captured() == {"USD": 8_400}


# More assigned than there are.


@pytest.mark.parametrize(("terms", "days"), [(MONTHLY, 31), (FOR_A_YEAR, 90)])
def test_what_is_over_assigned_is_cleared_in_time(contoso: Contoso, terms: OfferTerms, days: int) -> None:
    bought = contoso.buys(terms=terms)
    contoso.assigns(bought, contoso.ben, contoso.david, contoso.cynthia)
    schedules(contoso, bought, 1)
    renewed_on = contoso.subscription(bought).term.end
    contoso.advances(renewed_on)
    assert (contoso.pool(bought).total, contoso.pool(bought).assigned) == (1, 3)
    with contoso.refuses(NotEnoughLicenses, wanted=1, free=0):
        assigning = contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.chris,))
        contoso.run(assigning)
    contoso.advances(renewed_on + timedelta(days=days - 1))
    assert contoso.pool(bought).assigned == 3
    before = len(contoso.told())
    contoso.advances(renewed_on + timedelta(days=days))
    assert contoso.holders(bought) == [contoso.ben]  # the newest go
    unassigned = [told for told in contoso.told()[before:] if isinstance(told, LicensePool.LicenseUnassigned)]
    assert {told.reason for told in unassigned} == {"over_assigned"}


def test_an_increase_that_is_not_enough_keeps_the_day(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david, contoso.cynthia)
    schedules(contoso, bought, 1)
    contoso.advances(FEB_28)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=2))
    assert contoso.pool(bought).over_assigned_until == MAR_31
    contoso.advances(MAR_31)
    assert contoso.holders(bought) == [contoso.ben, contoso.david]


def test_an_increase_that_is_enough_ends_it(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david, contoso.cynthia)
    schedules(contoso, bought, 1)
    contoso.advances(FEB_28)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=3))
    contoso.advances(MAR_31)
    assert len(contoso.holders(bought)) == 3


# How it ends.


def test_expired_then_disabled_then_deleted(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    stops(contoso, bought)
    days = {
        FEB_28 - timedelta(days=1): "active",
        FEB_28: "expired",
        FEB_28 + timedelta(days=29): "expired",
        FEB_28 + timedelta(days=30): "disabled",
        FEB_28 + timedelta(days=119): "disabled",
        FEB_28 + timedelta(days=120): "deleted",
    }
    for day, life in days.items():
        contoso.advances(day)
        assert (day, contoso.subscription(bought).life) == (day, life)
    assert contoso.pool(bought).closed
    assert contoso.profile().subscriptions == []


def test_a_cancellation_now_skips_expired(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))
    for days, life in ((89, "disabled"), (90, "deleted")):
        contoso.advances(date(2025, 1, 31) + timedelta(days=days))
        assert contoso.subscription(bought).life == life


def test_a_cancellation_at_term_end_ends_it_then(contoso: Contoso) -> None:
    bought = contoso.buys()
    ending = {"subscription_id": bought, "when": "term_end", "reason": "project_ended"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **ending))
    before = len(contoso.told())
    contoso.advances(FEB_28)
    cancelled, expired = contoso.told()[before:]
    assert cancelled == event(
        Subscription.SubscriptionCancelled,
        when="term_end",
        reason="project_ended",
        licenses=3,
        ended_on=date(2025, 2, 27),
        credit_note_ids=(),
    )
    assert expired == event(Subscription.SubscriptionExpired, expired_on=FEB_28, disabled_on=date(2025, 3, 30))
    assert contoso.subscription(bought).life == "expired"


# Grace.


def attempts(contoso: Contoso) -> list[date]:
    return [told.attempted_on for told in contoso.told() if isinstance(told, Invoice.CollectionFailed)]


@pytest.fixture
def unpaid(contoso: Contoso) -> UUID:
    """Three licenses whose renewal of Feb 28 is declined."""
    bought = contoso.buys()
    contoso.changes_card("tok_declined")
    return bought


def test_it_is_tried_again_on_days_3_7_14_21_and_30(contoso: Contoso, unpaid: UUID) -> None:
    for days in range(31):
        contoso.advances(FEB_28 + timedelta(days=days))
    assert [(day - FEB_28).days for day in attempts(contoso)] == [0, 3, 7, 14, 21, 30]
    assert contoso.subscription(unpaid).life == "disabled"


def test_a_catch_up_makes_only_the_latest_attempt(contoso: Contoso, unpaid: UUID) -> None:
    contoso.advances(FEB_28)
    contoso.advances(FEB_28 + timedelta(days=15))  # days 3, 7 and 14 have passed
    assert [(day - FEB_28).days for day in attempts(contoso)] == [0, 15]
    assert contoso.invoices()[-1].retry_on == FEB_28 + timedelta(days=21)
    assert contoso.subscription(unpaid).life == "in_grace"


def test_a_run_that_comes_late_counts_from_the_attempt_that_it_makes(contoso: Contoso, unpaid: UUID) -> None:
    late = FEB_28 + timedelta(days=10)
    contoso.advances(late)
    assert attempts(contoso) == [late]
    assert contoso.invoices()[-1].grace_ends_on == late + timedelta(days=30)
    assert contoso.invoices()[-1].due_on == FEB_28
    assert contoso.subscription(unpaid).life == "in_grace"


def test_a_retry_that_succeeds_recovers_and_moves_no_dates(contoso: Contoso, unpaid: UUID) -> None:
    contoso.advances(FEB_28)
    contoso.opens_profile(contoso.melissa, "tok_amex")
    contoso.changes_card("tok_amex")
    subscription = contoso.subscription(unpaid)
    assert (subscription.life, subscription.term.end) == ("active", MAR_31)
    contoso.advances(MAR_31)
    assert contoso.subscription(unpaid).term_number == 2


def test_nothing_renews_while_it_is_past_due_and_all_is_made_up_for(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 3, 2))  # two days late: grace goes beyond the next term's start
    contoso.advances(date(2025, 3, 31))
    assert contoso.subscription(bought).term_number == 1
    contoso.changes_card("tok_visa:good")
    contoso.advances()
    subscription = contoso.subscription(bought)
    assert (subscription.term_number, subscription.life) == (2, "active")
    assert [invoice.due_on for invoice in contoso.invoices()] == [date(2025, 1, 31), FEB_28, MAR_31]


def test_one_of_two_that_share_an_unpaid_invoice_is_cancelled(contoso: Contoso) -> None:
    ending, staying = contoso.buys(), contoso.buys(licenses=2)
    contoso.changes_card("tok_declined")
    contoso.advances(FEB_28)
    content = {"subscription_id": ending, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **content))
    renewal = contoso.invoices()[-1]
    assert (renewal.credited_minor, renewal.due_minor, renewal.status) == (4_200, 2_800, "past_due")
    contoso.changes_card("tok_amex")
    assert contoso.subscription(staying).life == "active"
    assert contoso.subscription(ending).life == "disabled"
    contoso.advances(MAR_31)
    assert contoso.invoices()[-1].total_minor == 2_800


def test_a_year_of_unpaid_cycles_is_caught_up_with_and_recovers_whole(contoso: Contoso) -> None:
    bought = contoso.buys(terms=FOR_A_YEAR)
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 6, 15))
    assert [invoice.status for invoice in contoso.invoices()] == ["paid", *["past_due"] * 4]
    contoso.changes_card("tok_amex")
    assert {invoice.status for invoice in contoso.invoices()} == {"paid"}
    assert contoso.subscription(bought).life == "active"


def test_the_end_of_grace_credits_unused_days_and_gives_up_the_rest(contoso: Contoso, unpaid: UUID) -> None:
    contoso.assigns(unpaid, contoso.ben)
    contoso.advances(FEB_28)
    contoso.advances(FEB_28 + timedelta(days=30))  # one day of 31 is unused
    renewal = contoso.invoices()[-1]
    assert (renewal.status, renewal.credited_minor, renewal.due_minor) == ("uncollectible", 135, 4_065)
    assert contoso.subscription(unpaid).life == "disabled"
    (disabled,) = [told for told in contoso.told() if isinstance(told, Subscription.SubscriptionDisabled)]
    assert disabled == event(
        Subscription.SubscriptionDisabled,
        reason="grace_ended",
        disabled_on=FEB_28 + timedelta(days=30),
        deleted_on=FEB_28 + timedelta(days=120),
    )
    assert len(disabled.credit_note_ids) == 1
    purchase = contoso.invoices()[0]
    assert (purchase.credited_minor, purchase.paid_minor) == (0, 4_200)  # what was paid is not touched
    contoso.advances(FEB_28 + timedelta(days=120))
    assert contoso.subscription(unpaid).life == "deleted"


# Small amounts.


def test_small_amounts_wait_and_never_stop_a_renewal(contoso: Contoso) -> None:
    bought = contoso.buys(terms=contoso.lists(unit_price_minor=10))  # 0.30 a month, below the provider's 0.50
    contoso.advances(FEB_28)
    assert [(invoice.status, invoice.due_minor) for invoice in contoso.invoices()] == [("paid", 0), ("paid", 0)]
    assert contoso.sandbox.captured() == {"USD": 60}  # with the next charge
    assert contoso.subscription(bought).term_number == 1
    contoso.advances(MAR_31)
    assert [invoice.status for invoice in contoso.invoices()] == ["paid", "paid", "open"]
    assert contoso.subscription(bought).life == "active"


def test_a_zero_total_settles_itself_without_a_provider(contoso: Contoso) -> None:
    calls = len(contoso.sandbox.calls())
    contoso.can_pay(contoso.melissa)
    contoso.buys(terms=contoso.lists(unit_price_minor=0))
    assert contoso.invoices()[0].status == "paid"
    assert contoso.every(Payment) == []
    assert [call.step for call in contoso.sandbox.calls()[calls:]] == ["store"]


# Whoever comes first.


def test_a_command_first_takes_what_is_due_on_its_profile(contoso: Contoso, clock: Clock) -> None:
    """Of all subscriptions there: they share an invoice; what is decided is decided after it."""
    bought, other = contoso.buys(), contoso.buys()
    schedules(contoso, bought, 1)
    clock.now += timedelta(days=30)
    resizing = contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=2, expected_total=1)
    contoso.run(resizing)
    assert contoso.subscription(other).term_number == 1
    names = [save.command for save in saves_of(contoso, resizing)]
    assert names == ["take_due_steps", "take_due_steps", "resize_licenses", "resize_licenses", "take_due_steps"]


def test_a_refused_command_has_taken_what_was_due(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    clock.now += timedelta(days=30)
    resizing = contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=2, expected_total=99)
    before = len(contoso.told())
    with pytest.raises(Exception, match="99"):
        contoso.run(resizing)
    assert "SubscriptionRenewed" in told_since(contoso, before)
    assert contoso.pool(bought).total == 3


@pytest.mark.parametrize("first", ["the run", "a command"])
def test_steps_have_the_same_ids_whoever_takes_them(contoso: Contoso, clock: Clock, first: str) -> None:
    bought = contoso.buys()
    profile = contoso.profile()
    clock.now += timedelta(days=30)
    if first == "the run":
        contoso.advances()
    else:
        contoso.assigns(bought, contoso.ben)

    renewal = contoso.invoices()[-1]
    assert renewal.id == uuid5(profile.id, f"renewal:{FEB_28}:{bought}")
    assert contoso.payments()[-1].id == uuid5(renewal.id, "payment:0")
