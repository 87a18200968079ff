"""What an invoice gives back, and what banks take back of it: `domain.invoice`."""

from collections.abc import Callable
from typing import Literal

import pytest

from domain.invoice import Invoice
from tests.domain.invoice_facts import (
    ANOTHER_PAYMENT,
    credited,
    dispute,
    disputed,
    failed,
    moved,
    received,
    refund_reversed,
    refunded,
    started,
)
from tests.examples import (
    A_REFUND,
    AN_INVOICE,
    PAYMENT,
)
from tests.scenario import Scenario, event

Received = Invoice.PaymentReceived
Failed = Invoice.CollectionFailed
Credited = Invoice.CreditNoteIssued
Counted, Reversed, Moved = Invoice.RefundCounted, Invoice.RefundReversed, Invoice.MovedToCreditBalance
Disputed, DisputeClosed = Invoice.PaymentDisputed, Invoice.DisputeClosed
Deed = Callable[[Invoice], None]

# Giving back.


def test_a_credit_of_what_was_paid_is_owed_and_a_refund_counts_from_its_request() -> None:
    scenario = Scenario(Invoice).given(AN_INVOICE, received()).when(credited(1))
    scenario.then_told(event(Credited, total_minor=1_400, due_minor=-1_400, state="paid"))
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), credited(1))
        .when(refunded(1_400))
        .then_told(event(Counted, payment_id=PAYMENT, refund_id=A_REFUND, amount_minor=1_400, due_minor=0))
        .leaving(paid_minor=2_800, credited_minor=1_400, due_minor=0, status="paid")
    )


def test_a_refund_counts_once() -> None:
    Scenario(Invoice).given(AN_INVOICE, received(), credited(1), refunded(1_400)).when(
        refunded(1_400)
    ).then_told_nothing()


def test_a_refund_that_failed_is_owed_again_and_moves_to_the_balance() -> None:
    given = (AN_INVOICE, received(), credited(1), refunded(1_400))
    scenario = Scenario(Invoice).given(*given).when(refund_reversed)
    scenario.then_told(event(Reversed, payment_id=PAYMENT, refund_id=A_REFUND, amount_minor=1_400, due_minor=-1_400))
    Scenario(Invoice).given(*given, refund_reversed).when(refund_reversed).then_told_nothing()
    (
        Scenario(Invoice)
        .given(*given, refund_reversed)
        .when(moved(1_400))
        .then_told(event(Moved, amount_minor=1_400, due_minor=0))
        .leaving(paid_minor=2_800, due_minor=0)
    )


# Disputes.


def test_a_dispute_opens_it_again_without_grace() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received())
        .when(disputed())
        .then_told(
            event(Disputed, payment_id=PAYMENT, dispute_id="dp_1", amount_minor=4_200, due_minor=4_200, state="open")
        )
        .leaving(status="open", paid_minor=0, retry_on=None)
    )


@pytest.mark.parametrize(("outcome", "due_minor", "state"), [("won", 0, "paid"), ("lost", 4_200, "past_due")])
def test_a_dispute_is_won_or_lost(outcome: Literal["won", "lost"], due_minor: int, state: str) -> None:
    """Lost: past due, and nobody tries again by themselves."""
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), disputed())
        .when(dispute(outcome))
        .then_told(
            event(
                DisputeClosed,
                payment_id=PAYMENT,
                dispute_id="dp_1",
                outcome=outcome,
                amount_minor=4_200,
                due_minor=due_minor,
                state=state,
            )
        )
        .leaving(status=state, due_minor=due_minor, retry_on=None, grace_ends_on=None)
    )


@pytest.mark.parametrize("ask", [dispute("won"), dispute("lost")])
@pytest.mark.parametrize("closed", ["won", "lost"])
def test_a_dispute_is_closed_once(closed: Literal["won", "lost"], ask: Deed) -> None:
    Scenario(Invoice).given(AN_INVOICE, received(), disputed(), dispute(closed)).when(ask).then_told_nothing()


@pytest.mark.parametrize("given", [(), (dispute("lost"),)])
def test_a_disputed_payment_is_told_once(given: tuple[Deed, ...]) -> None:
    Scenario(Invoice).given(AN_INVOICE, received(), disputed(), *given).when(disputed()).then_told_nothing()


def test_closing_an_unknown_dispute_tells_nothing() -> None:
    Scenario(Invoice).given(AN_INVOICE, received()).when(dispute("won")).then_told_nothing()


def test_a_dispute_of_what_is_owed_anyway_opens_nothing() -> None:
    """The bank was faster than the refund."""
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), credited(3))
        .when(disputed())
        .then_told(event(Disputed, due_minor=0, state="paid"))
    )


def test_a_dispute_that_was_lost_for_what_was_credited_leaves_nothing_due() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), disputed(), credited(3))
        .when(dispute("lost"))
        .then_told(event(DisputeClosed, due_minor=0, state="paid"))
    )


def test_a_dispute_that_was_won_for_what_was_credited_is_owed() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), disputed(), credited(3))
        .when(dispute("won"))
        .then_told(event(DisputeClosed, due_minor=-4_200, state="paid"))
    )


def test_who_pays_after_a_dispute_was_lost_has_paid() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), disputed(), dispute("lost"))
        .when(received(payment_id=ANOTHER_PAYMENT))
        .then_told(event(Received, due_minor=0, state="paid"))
        .leaving(payments=2)
    )


def test_a_failed_charge_of_what_a_bank_took_back_is_not_tried_again() -> None:
    (
        Scenario(Invoice)
        .given(AN_INVOICE, received(), disputed(), dispute("lost"), started)
        .when(failed())
        .then_told(event(Failed, retry_on=None, state="past_due"))
    )
