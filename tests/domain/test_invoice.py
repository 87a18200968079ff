"""Documents and what settles them: `domain.invoice`. What credit notes give back stands in test_credit_notes."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.invoice import Invoice
from tests.domain.invoice_facts import (
    ANOTHER_PAYMENT,
    MARCH_1,
    attempted,
    balance_applied,
    credited,
    deferred,
    dispute,
    disputed,
    ended,
    failed,
    moved,
    received,
    refund_reversed,
    refunded,
    started,
    written_off,
)
from tests.examples import (
    AN_INVOICE,
    BILLING_PROFILE,
    FIVE_PERCENT,
    PAYMENT,
    POWER_BI_PRO,
    a_line,
    issuing,
)
from tests.scenario import Scenario, event

Issued, Received, BalanceApplied = Invoice.InvoiceIssued, Invoice.PaymentReceived, Invoice.CreditBalanceApplied
Started, Failed, Ended = Invoice.CollectionStarted, Invoice.CollectionFailed, Invoice.CollectionEnded
Deferred, WrittenOff = Invoice.CollectionDeferred, Invoice.InvoiceWrittenOff
Credited = Invoice.CreditNoteIssued
Deed = Callable[[Invoice], None]

# Issuing.


def test_an_invoice_adds_its_lines_and_rounds_its_tax_once() -> None:
    """Two lines of 0.10 at 5 % are taxed 0.01, not twice 0.01."""
    cheap = POWER_BI_PRO.model_copy(update={"unit_price_minor": 10})
    lines = (a_line(1, price=cheap), a_line(1, number=2, price=cheap))
    (
        Scenario(Invoice)
        .when_born(issuing(*lines, tax_rate=FIVE_PERCENT))
        .then_told(event(Issued, lines=lines, net_minor=20, tax_minor=1, total_minor=21, state="open"))
        .leaving(due_minor=21, paid_minor=0, credited_minor=0, wants_nothing=False)
    )


def test_an_invoice_of_nothing_settles_itself() -> None:
    free = POWER_BI_PRO.model_copy(update={"unit_price_minor": 0})
    (
        Scenario(Invoice)
        .when_born(issuing(a_line(price=free)))
        .then_told(event(Issued, total_minor=0, state="paid"))
        .leaving(due_minor=0, wants_nothing=True)
    )


def test_no_event_changes_what_was_issued() -> None:
    invoice = AN_INVOICE()
    before = [invoice.lines, invoice.number, invoice.total_minor, invoice.tax_minor, invoice.net_minor]
    for fact in (started, received(), credited(3), refunded(4_200), disputed(0)):
        fact(invoice)
    assert [invoice.lines, invoice.number, invoice.total_minor, invoice.tax_minor, invoice.net_minor] == before


# Paying.


def test_a_payment_settles_it() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, started)
        .when(received())
        .then_told(
            event(
                Received,
                billing_profile_id=BILLING_PROFILE,
                payment_id=PAYMENT,
                amount_minor=4_200,
                currency="USD",
                due_minor=0,
                state="paid",
            )
        )
        .leaving(status="paid", paid_minor=4_200, collected_by=None, wants_nothing=True, payments=1)
    )


def test_the_same_payment_is_received_once() -> None:
    Scenario(Invoice).given(AN_INVOICE, received()).when(received()).then_told_nothing()


def test_a_part_leaves_the_rest_due() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE)
        .when(received(4_000))
        .then_told(event(Received, amount_minor=4_000, due_minor=200, state="open"))
        .leaving(status="open", wants_nothing=False)
    )


@pytest.mark.parametrize(
    ("given", "state"), [((attempted(MARCH_1),), "past_due"), ((attempted(MARCH_1), written_off), "uncollectible")]
)
def test_a_part_leaves_it_what_it_was(given: tuple[Deed, ...], state: str) -> None:
    for ask, kind in ((received(4_000), Received), (balance_applied(200), BalanceApplied), (credited(1), Credited)):
        Scenario(Invoice).given(AN_INVOICE, *given).when(ask).then_told(event(kind, state=state)).leaving(status=state)


@pytest.mark.parametrize(("amount_minor", "due_minor", "state"), [(200, 4_000, "open"), (4_200, 0, "paid")])
def test_the_credit_balance_pays_too(amount_minor: int, due_minor: int, state: str) -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE)
        .when(balance_applied(amount_minor))
        .then_told(event(BalanceApplied, amount_minor=amount_minor, due_minor=due_minor, state=state))
        .leaving(paid_minor=amount_minor, due_minor=due_minor)
    )


@pytest.mark.parametrize("ask", [balance_applied(0), moved(0)])
def test_nothing_moved_tells_nothing(ask: Deed) -> None:
    Scenario(Invoice).given(AN_INVOICE).when(ask).then_told_nothing()


# Collecting.


def test_a_collection_is_started_once() -> None:
    scenario = Scenario(Invoice).given(AN_INVOICE).when(started)
    scenario.then_told(event(Started, payment_id=PAYMENT, amount_minor=4_200)).leaving(collected_by=PAYMENT)
    Scenario(Invoice).given(AN_INVOICE, started).when(started).then_told_nothing()


def test_a_failed_charge_makes_it_past_due_and_is_retried_after_three_days() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, started)
        .when(failed())
        .then_told(
            event(
                Failed,
                billing_profile_id=BILLING_PROFILE,
                payment_id=PAYMENT,
                code="insufficient_funds",
                attempted_on=MARCH_1,
                first_attempted_on=MARCH_1,
                retry_on=date(2025, 3, 4),
                due_minor=4_200,
                currency="USD",
                state="past_due",
            )
        )
        .leaving(status="past_due", collected_by=None, grace_ends_on=date(2025, 3, 31))
    )


@pytest.mark.parametrize(
    ("day", "retry"), [(4, 8), (8, 15), (15, 22), (22, 31), (5, 8), (9, 15), (30, 31)], ids=lambda day: f"march-{day}"
)
def test_retries_count_from_the_first_attempt_and_missed_ones_are_not_made_up(day: int, retry: int) -> None:
    """Days 3, 7, 14, 21 and 30: March 4, 8, 15, 22 and 31."""
    (
        Scenario(Invoice)
        .given(AN_INVOICE, attempted(MARCH_1), started)
        .when(failed(date(2025, 3, day)))
        .then_told(event(Failed, first_attempted_on=MARCH_1, retry_on=date(2025, 3, retry)))
    )


@pytest.mark.parametrize("day", [date(2025, 3, 31), date(2025, 4, 7)])
def test_the_last_attempt_is_on_day_30_or_after_it(day: date) -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, attempted(MARCH_1), started)
        .when(failed(day))
        .then_told(event(Failed, first_attempted_on=MARCH_1, retry_on=None))
        .leaving(grace_ends_on=date(2025, 3, 31))
    )


def test_a_payment_ends_the_attempts_and_later_ones_count_anew() -> None:
    invoice = AN_INVOICE()
    for fact in (attempted(MARCH_1), started, received()):
        fact(invoice)
    assert (invoice.retry_on, invoice.first_attempted_on, invoice.grace_ends_on) == (None, None, None)


@pytest.mark.parametrize("ask", [failed(), ended])
def test_only_the_payment_that_collects_it_can_fail(ask: Deed) -> None:
    Scenario(Invoice).given(AN_INVOICE).when(ask).then_told_nothing()
    other = Scenario(Invoice).given(AN_INVOICE, lambda invoice: invoice.start_collection(ANOTHER_PAYMENT, 4_200))
    other.when(ask).then_told_nothing()


def test_what_was_credited_while_its_charge_was_under_way_does_not_fall_past_due() -> None:
    """Nothing is due: there is nothing to be in grace for, and nothing to try again."""
    (
        Scenario(Invoice)
        .given(AN_INVOICE, started, credited(3))
        .when(failed())
        .then_told(event(Ended, payment_id=PAYMENT))
        .leaving(status="paid", retry_on=None, first_attempted_on=None, wants_nothing=True)
    )


def test_what_went_along_with_a_failed_payment_waits() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, started)
        .when(ended)
        .then_told(event(Ended, payment_id=PAYMENT))
        .leaving(status="open", collected_by=None)
    )


def test_what_is_too_small_to_be_charged_is_not_past_due() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, attempted(MARCH_1))
        .when(deferred)
        .then_told(event(Deferred, due_minor=4_200, state="open"))
        .leaving(status="open", retry_on=None, grace_ends_on=None)
    )
    Scenario(Invoice).given(AN_INVOICE, attempted(MARCH_1), deferred).when(deferred).then_told_nothing()
    Scenario(Invoice).given(AN_INVOICE).when(deferred).then_told_nothing()


# Giving up.


def test_what_nobody_paid_is_written_off_and_can_still_be_paid() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, attempted(MARCH_1))
        .when(written_off)
        .then_told(
            event(
                WrittenOff,
                billing_profile_id=BILLING_PROFILE,
                written_off_on=MARCH_1,
                due_minor=4_200,
                currency="USD",
                state="uncollectible",
            )
        )
        .leaving(status="uncollectible", due_minor=4_200, retry_on=None, wants_nothing=True)
    )
    (
        Scenario(Invoice)
        .given(AN_INVOICE, written_off, started)
        .when(received())
        .then_told(event(Received, due_minor=0, state="paid"))
    )


@pytest.mark.parametrize("given", [(written_off,), (started, received())])
def test_what_is_given_up_or_paid_is_not_written_off(given: tuple[Deed, ...]) -> None:
    Scenario(Invoice).given(AN_INVOICE, *given).when(written_off).then_told_nothing()


def test_a_failed_attempt_to_pay_what_was_given_up_changes_nothing_about_it() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, attempted(MARCH_1), written_off, started)
        .when(failed(date(2025, 5, 1)))
        .then_told(event(Failed, retry_on=None, state="uncollectible"))
    )


# The balance: total = credits + paid + due.


@pytest.mark.parametrize(
    "facts",
    [
        (started,),
        (balance_applied(700), started),
        (started, received(), credited(1), refunded(1_400)),
        (started, received(), credited(1), refunded(1_400), refund_reversed, moved(1_400)),
        (started, received(), disputed(), credited(2), dispute("won"), refunded(2_800)),
        (attempted(MARCH_1), credited(1), written_off),
    ],
)
def test_the_balance_holds_after_each_event_and_each_event_says_what_is_due(facts: tuple[Any, ...]) -> None:
    invoice = AN_INVOICE()
    for fact in facts:
        fact(invoice)
        assert invoice.total_minor == invoice.credited_minor + invoice.paid_minor + invoice.due_minor
        assert getattr(invoice.pending_events[-1], "due_minor", invoice.due_minor) == invoice.due_minor
