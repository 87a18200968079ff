"""The worked examples of the business rules, to the cent: Power BI Pro at 14.00 USD, no tax unless one is named."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.calendar import Period
from domain.invoice import Invoice
from domain.refusals import RemovalWindowPassed
from services.cancel_subscription import CancelSubscription
from services.change_bill_to import ChangeBillTo
from services.replace_payment_method import ReplacePaymentMethod
from services.resize_licenses import ResizeLicenses
from tests.services.contoso import FOR_A_YEAR, Clock, Contoso

JAN_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_the_last_day_of_january(clock: Clock) -> None:
    clock.now = JAN_31


def at(month: int, day: int, hour: int = 9, minute: int = 30) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def resizes(contoso: Contoso, bought: UUID, total: int) -> None:
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total))


def cancels(contoso: Contoso, bought: UUID) -> None:
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))


def refunded(contoso: Contoso) -> int:
    return contoso.sandbox.refunded().get("USD", 0)


def only(invoices: list[Invoice]) -> Invoice:
    (invoice,) = invoices
    return invoice


@pytest.fixture
def a_hundred(contoso: Contoso) -> UUID:
    return contoso.buys(licenses=100)


def test_a_hundred_licenses_bought_on_the_last_day_of_january(contoso: Contoso) -> None:
    contoso.buys(licenses=100)
    invoice = only(contoso.invoices())
    assert (invoice.total_minor, invoice.status) == (140_000, "paid")
    assert invoice.line(1).period == Period(start=date(2026, 1, 31), end=date(2026, 2, 28))
    assert invoice.line(1).period.ends_on == date(2026, 2, 27)
    assert invoice.line(1).cycle_days == 28
    assert contoso.sandbox.captured() == {"USD": 140_000}


def test_five_more_on_the_tenth_day_of_february(contoso: Contoso, clock: Clock, a_hundred: UUID) -> None:
    clock.now = at(2, 10)
    resizes(contoso, a_hundred, 105)
    _, increase = contoso.invoices()
    assert (increase.line(1).days, increase.line(1).cycle_days, increase.total_minor) == (18, 28, 4_500)


def test_three_fewer_two_days_later_and_three_more_refused_whole(
    contoso: Contoso, clock: Clock, a_hundred: UUID
) -> None:
    clock.now = at(2, 10)
    resizes(contoso, a_hundred, 105)
    clock.now = at(2, 12)
    resizes(contoso, a_hundred, 102)
    first, increase = contoso.invoices()
    assert (first.credited_minor, increase.credited_minor, refunded(contoso)) == (0, 2_400, 2_400)
    with contoso.refuses(RemovalWindowPassed, asked=3, removable_now=2):
        resizes(contoso, a_hundred, 99)
    assert contoso.pool(a_hundred).total == 102


def test_cancelled_on_the_fifth_day(contoso: Contoso, clock: Clock, a_hundred: UUID) -> None:
    clock.now = at(2, 5)
    cancels(contoso, a_hundred)
    assert refunded(contoso) == 115_000
    invoice = only(contoso.invoices())
    assert (invoice.due_minor, invoice.paid_minor) == (0, 25_000)


def test_cancelled_after_23_hours_everything_comes_back(contoso: Contoso, clock: Clock, a_hundred: UUID) -> None:
    clock.now = JAN_31 + timedelta(hours=23)
    cancels(contoso, a_hundred)
    assert refunded(contoso) == 140_000


def test_after_24_hours_only_unused_days_come_back(contoso: Contoso, clock: Clock, a_hundred: UUID) -> None:
    clock.now = JAN_31 + timedelta(hours=24)
    cancels(contoso, a_hundred)
    assert refunded(contoso) == 135_000  # 27 of 28 days


def test_more_than_the_unused_days_comes_back_once_in_thirty_days(contoso: Contoso, clock: Clock) -> None:
    """Or a hundred licenses that are bought anew every day would cost nearly nothing."""
    for bought_at, refund in (
        (JAN_31, 140_000),  # everything, on Feb 1
        (at(2, 1), 135_000),  # 27 of 28 days
        (at(3, 2), 140_000),  # everything, on Mar 3, which is 30 days later
    ):
        clock.now, before = bought_at, refunded(contoso)
        bought = contoso.buys(licenses=100)
        clock.now += timedelta(hours=23)
        cancels(contoso, bought)
        assert refunded(contoso) - before == refund


def test_a_batch_that_spans_two_cycles_is_credited_on_the_younger_line(contoso: Contoso, clock: Clock) -> None:
    """Yearly, billed monthly: bought on Feb 25, charged anew on Feb 28, taken back on Mar 2."""
    bought = contoso.buys(licenses=100, terms=FOR_A_YEAR)
    clock.now = at(2, 25)
    resizes(contoso, bought, 105)
    _, increase = contoso.invoices()
    assert (increase.line(1).days, increase.total_minor) == (3, 750)
    contoso.advances(date(2026, 2, 28))
    _, _, cycle = contoso.invoices()
    assert (cycle.line(1).kind, cycle.line(1).quantity, cycle.total_minor) == ("cycle", 105, 147_000)
    clock.now = at(3, 2, 9, 0)
    resizes(contoso, bought, 100)
    _, increase, cycle = contoso.invoices()
    assert (increase.credited_minor, cycle.credited_minor, refunded(contoso)) == (0, 6_548, 6_548)


def test_an_unpaid_renewal_that_is_cancelled_leaves_the_used_days_due(
    contoso: Contoso, clock: Clock, a_hundred: UUID
) -> None:
    clock.now = at(2, 10)
    resizes(contoso, a_hundred, 102)
    broken = contoso.adds_card(contoso.melissa, "tok_declined_insufficient_funds")
    contoso.run(
        contoso.command(
            ReplacePaymentMethod,
            contoso.buyer,
            billing_profile_id=contoso.profile().id,
            payment_method_id=broken,
        )
    )
    contoso.advances(date(2026, 2, 28))
    *_, renewal = contoso.invoices()
    assert (renewal.total_minor, renewal.status) == (142_800, "past_due")
    assert contoso.subscription(a_hundred).life == "in_grace"
    clock.now = at(3, 5)
    contoso.advances()  # the retry of day 3
    cancels(contoso, a_hundred)
    *_, renewal = contoso.invoices()
    assert (renewal.credited_minor, renewal.due_minor, refunded(contoso)) == (119_768, 23_032, 0)
    assert contoso.subscription(a_hundred).life == "disabled"


def test_three_credit_notes_of_ten_cents_share_the_tax_of_thirty(contoso: Contoso) -> None:
    """At 5 % the tax of 0.30 is 0.02; what each note credits of it is what is left before less what is left after."""
    contoso.can_pay(contoso.melissa)
    profile_id = contoso.profile().id
    in_canada = {"billing_profile_id": profile_id, "country": "CA"}
    contoso.run(contoso.command(ChangeBillTo, contoso.buyer, **in_canada))
    bought = contoso.buys(licenses=3, terms=contoso.lists(unit_price_minor=10))
    invoice = only(contoso.invoices())
    assert (invoice.net_minor, invoice.tax_minor) == (30, 2)
    for total in (2, 1):
        resizes(contoso, bought, total)
    cancels(contoso, bought)
    taxes = [
        told.tax_minor
        for told in map(contoso.ledger.mapper.to_domain_event, contoso.history())
        if isinstance(told, Invoice.CreditNoteIssued)
    ]
    assert taxes == [1, 0, 1]
    assert only(contoso.invoices()).credited_minor == 32
