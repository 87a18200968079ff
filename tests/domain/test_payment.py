"""Money that is to move: `domain.payment`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.payment import Allocation, Payment
from tests.examples import (
    A_PAYMENT,
    A_PURCHASE,
    A_REFUND,
    AN_INCREASE,
    ANOTHER_INVOICE,
    BILLING_PROFILE,
    INVOICE,
    PAYMENT_METHOD,
    PURCHASED_AT,
    an_id,
    requesting,
)
from tests.scenario import Scenario, event

Requested, TriedAgain, Captured = Payment.PaymentRequested, Payment.PaymentTriedAgain, Payment.PaymentCaptured
Authorized, Declined, Released = Payment.PaymentAuthorized, Payment.PaymentDeclined, Payment.AuthorizationReleased
ActionRequired, OutcomeUnknown = Payment.PaymentActionRequired, Payment.PaymentOutcomeUnknown
RefundRequested, RefundSucceeded, RefundFailed = Payment.RefundRequested, Payment.RefundSucceeded, Payment.RefundFailed
Disputed, DisputeClosed = Payment.PaymentDisputed, Payment.DisputeClosed
Deed = Callable[[Payment], None]

THE_AMOUNT = {"billing_profile_id": BILLING_PROFILE, "attempt": 1, "amount_minor": 4_200, "currency": "USD"}
ANOTHER_REFUND, ANOTHER_METHOD = an_id(61), an_id(62)


def authorized(payment: Payment) -> None:
    payment.authorize("pi_1")


def captured(payment: Payment) -> None:
    payment.capture("pi_1")


def declined(payment: Payment) -> None:
    payment.decline("insufficient_funds")


def action_required(payment: Payment) -> None:
    payment.require_action("pi_1")


def out_of_sight(payment: Payment) -> None:
    payment.lose_sight()


def released(payment: Payment) -> None:
    payment.release("replaced")


def refund(amount_minor: int, *, refund_id: UUID = A_REFUND) -> Deed:
    return lambda payment: payment.request_refund(refund_id, invoice_id=INVOICE, amount_minor=amount_minor)


def refund_succeeded(payment: Payment) -> None:
    payment.succeed_refund(A_REFUND)


def refund_failed(payment: Payment) -> None:
    payment.fail_refund(A_REFUND, "card_closed")


def disputed(amount_minor: int = 4_200) -> Deed:
    return lambda payment: payment.dispute("dp_1", invoice_id=INVOICE, amount_minor=amount_minor)


def dispute(outcome: Literal["won", "lost"]) -> Deed:
    return lambda payment: payment.close_dispute("dp_1", outcome)


AGAIN: dict[str, Any] = {
    "payment_method_id": ANOTHER_METHOD,
    "amount_minor": 4_000,
    "currency": "USD",
    "allocation": (Allocation(invoice_id=INVOICE, amount_minor=4_000),),
    "intent": None,
    "on_session": False,
    "requested_at": PURCHASED_AT + timedelta(days=3),
}


def tried_again(payment: Payment) -> None:
    payment.try_again(**AGAIN)


# The attempts.


@pytest.mark.parametrize("intent", [None, A_PURCHASE, AN_INCREASE])
def test_the_intent_is_told_before_money_moves(intent: object) -> None:
    (
        Scenario(Payment)
        .when_born(requesting(intent=intent))
        .then_told(
            event(
                Requested,
                billing_profile_id=BILLING_PROFILE,
                payment_method_id=PAYMENT_METHOD,
                amount_minor=4_200,
                currency="USD",
                allocation=(Allocation(invoice_id=INVOICE, amount_minor=4_200),),
                intent=intent,
                on_session=True,
                requested_at=PURCHASED_AT,
            )
        )
        .leaving(status="requested", attempt=1, is_open=True, captured_minor=0, refundable_minor=0, intent=intent)
    )


def test_what_is_allocated_is_more_than_nothing() -> None:
    with pytest.raises(ValidationError):
        Allocation(invoice_id=INVOICE, amount_minor=0)


@pytest.mark.parametrize(
    ("given", "when", "told", "status", "is_open"),
    [
        ((), authorized, event(Authorized, **THE_AMOUNT, reference="pi_1"), "authorized", True),
        ((out_of_sight,), authorized, event(Authorized, **THE_AMOUNT, reference="pi_1"), "authorized", True),
        ((action_required,), authorized, event(Authorized, **THE_AMOUNT, reference="pi_1"), "authorized", True),
        ((), action_required, event(ActionRequired, **THE_AMOUNT, reference="pi_1"), "action_required", True),
        ((out_of_sight,), action_required, event(ActionRequired, reference="pi_1"), "action_required", True),
        ((), out_of_sight, event(OutcomeUnknown, **THE_AMOUNT), "unknown", True),
        ((), released, event(Released, **THE_AMOUNT, reason="replaced"), "released", False),
        ((authorized,), released, event(Released, **THE_AMOUNT, reason="replaced"), "released", False),
        ((action_required,), released, event(Released, reason="replaced"), "released", False),
    ],
)
def test_what_becomes_of_an_attempt(
    given: tuple[Deed, ...], when: Deed, told: event, status: str, *, is_open: bool
) -> None:
    Scenario(Payment).given(A_PAYMENT, *given).when(when).then_told(told).leaving(status=status, is_open=is_open)


@pytest.mark.parametrize("given", [(), (authorized,), (out_of_sight,), (action_required,)])
def test_what_is_open_is_captured_or_declined(given: tuple[Deed, ...]) -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, *given)
        .when(captured)
        .then_told(
            event(
                Captured,
                **THE_AMOUNT,
                payment_method_id=PAYMENT_METHOD,
                allocation=(Allocation(invoice_id=INVOICE, amount_minor=4_200),),
                reference="pi_1",
            )
        )
        .leaving(status="captured", is_open=False, captured_minor=4_200, refundable_minor=4_200)
    )
    (
        Scenario(Payment)
        .given(A_PAYMENT, *given)
        .when(declined)
        .then_told(event(Declined, **THE_AMOUNT, payment_method_id=PAYMENT_METHOD, code="insufficient_funds"))
        .leaving(status="declined", is_open=False, captured_minor=0, declined_because="insufficient_funds")
    )


@pytest.mark.parametrize("ask", [authorized, captured, declined, action_required, out_of_sight, released])
@pytest.mark.parametrize("end", [captured, declined, released])
def test_what_has_ended_is_not_ended_again(end: Deed, ask: Deed) -> None:
    Scenario(Payment).given(A_PAYMENT, end).when(ask).then_told_nothing()


@pytest.mark.parametrize(
    ("fact", "ask"),
    [
        (authorized, authorized),
        (authorized, action_required),
        (authorized, out_of_sight),
        (action_required, action_required),
        (action_required, out_of_sight),
        (out_of_sight, out_of_sight),
    ],
)
def test_what_is_known_already_tells_nothing(fact: Deed, ask: Deed) -> None:
    Scenario(Payment).given(A_PAYMENT, fact).when(ask).then_told_nothing()


@pytest.mark.parametrize("end", [declined, released])
def test_what_failed_is_tried_again_perhaps_with_another_card_and_amount(end: Deed) -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, end)
        .when(tried_again)
        .then_told(event(TriedAgain, billing_profile_id=BILLING_PROFILE, attempt=2, **AGAIN))
        .leaving(
            status="requested",
            attempt=2,
            reference=None,
            declined_because=None,
            amount_minor=4_000,
            payment_method_id=ANOTHER_METHOD,
            on_session=False,
        )
    )


@pytest.mark.parametrize("fact", [captured, authorized, action_required, out_of_sight, lambda _: None])
def test_what_is_taken_or_under_way_is_not_tried_again(fact: Deed) -> None:
    """A payment is captured once."""
    Scenario(Payment).given(A_PAYMENT, fact).when(tried_again).then_told_nothing()


def test_an_attempt_says_which_one_it_is() -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, declined, tried_again)
        .when(captured)
        .then_told(event(Captured, attempt=2, amount_minor=4_000, payment_method_id=ANOTHER_METHOD))
        .leaving(captured_minor=4_000)
    )


# Refunds.


def test_a_refund_counts_from_its_request() -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured)
        .when(refund(1_400))
        .then_told(
            event(
                RefundRequested,
                billing_profile_id=BILLING_PROFILE,
                refund_id=A_REFUND,
                invoice_id=INVOICE,
                amount_minor=1_400,
                currency="USD",
            )
        )
        .leaving(refundable_minor=2_800, captured_minor=4_200)
    )


def test_the_same_refund_again_tells_nothing() -> None:
    Scenario(Payment).given(A_PAYMENT, captured, refund(1_400)).when(refund(1_400)).then_told_nothing()


def test_a_refund_succeeds_once() -> None:
    of_the_refund = {"refund_id": A_REFUND, "invoice_id": INVOICE, "amount_minor": 1_400, "currency": "USD"}
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured, refund(1_400))
        .when(refund_succeeded)
        .then_told(event(RefundSucceeded, billing_profile_id=BILLING_PROFILE, **of_the_refund))
        .leaving(refundable_minor=2_800, open_refunds={})
    )
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured, refund(1_400), refund_succeeded)
        .when(refund_succeeded)
        .then_told_nothing()
    )


@pytest.mark.parametrize("given", [(), (refund_succeeded,)])
def test_a_refund_may_fail_also_after_it_had_seemed_to_succeed(given: tuple[Deed, ...]) -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured, refund(1_400), *given)
        .when(refund_failed)
        .then_told(
            event(
                RefundFailed,
                billing_profile_id=BILLING_PROFILE,
                refund_id=A_REFUND,
                invoice_id=INVOICE,
                amount_minor=1_400,
                currency="USD",
                code="card_closed",
            )
        )
        .leaving(refundable_minor=4_200, open_refunds={})
    )


@pytest.mark.parametrize("ask", [refund_failed, refund_succeeded, refund(1_400)])
def test_a_refund_that_failed_stays_failed(ask: Deed) -> None:
    (Scenario(Payment).given(A_PAYMENT, captured, refund(1_400), refund_failed).when(ask).then_told_nothing())


def test_the_open_refunds_are_those_without_an_answer() -> None:
    payment = A_PAYMENT()
    for fact in (captured, refund(1_400), refund(100, refund_id=ANOTHER_REFUND), refund_succeeded):
        fact(payment)
    assert list(payment.open_refunds) == [ANOTHER_REFUND]


# Disputes.


def test_a_disputed_amount_cannot_be_refunded() -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured, refund(1_400))
        .when(disputed(2_000))
        .then_told(
            event(
                Disputed,
                billing_profile_id=BILLING_PROFILE,
                dispute_id="dp_1",
                invoice_id=INVOICE,
                amount_minor=2_000,
                currency="USD",
            )
        )
        .leaving(refundable_minor=800)
    )


@pytest.mark.parametrize(("outcome", "refundable_minor"), [("won", 4_200), ("lost", 0)])
def test_a_dispute_that_is_won_gives_the_amount_back(outcome: Literal["won", "lost"], refundable_minor: int) -> None:
    (
        Scenario(Payment)
        .given(A_PAYMENT, captured, disputed())
        .when(dispute(outcome))
        .then_told(
            event(
                DisputeClosed,
                billing_profile_id=BILLING_PROFILE,
                dispute_id="dp_1",
                invoice_id=INVOICE,
                amount_minor=4_200,
                currency="USD",
                outcome=outcome,
            )
        )
        .leaving(refundable_minor=refundable_minor)
    )


@pytest.mark.parametrize("ask", [disputed(), dispute("won"), dispute("lost")])
@pytest.mark.parametrize("closed", [dispute("won"), dispute("lost")])
def test_a_dispute_is_told_and_closed_once(closed: Deed, ask: Deed) -> None:
    Scenario(Payment).given(A_PAYMENT, captured, disputed(), closed).when(ask).then_told_nothing()


def test_a_dispute_may_be_open_beside_another_invoice_of_the_same_payment() -> None:
    parts = (Allocation(invoice_id=INVOICE, amount_minor=20), Allocation(invoice_id=ANOTHER_INVOICE, amount_minor=80))
    payment = requesting(100, allocation=parts)()
    captured(payment)
    disputed(80)(payment)
    assert payment.refundable_minor == 20
