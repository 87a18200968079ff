"""What the run learns of payments afterwards: refunds that fail, disputes, and answers that got lost."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from adapters.payments.sandbox_faults import Faults
from domain.invoice import Invoice
from domain.payment import Payment
from domain.refusals import PaymentDeclined
from services.cancel_subscription import CancelSubscription
from services.pay_invoice import PayInvoice
from services.resize_licenses import ResizeLicenses
from tests.scenario import event
from tests.services.contoso import Clock, Contoso

FEB_28 = date(2025, 2, 28)


@pytest.fixture
def bought(contoso: Contoso) -> UUID:
    """Three licenses for 42.00."""
    return contoso.buys()


def resizes(contoso: Contoso, bought: UUID, total: int) -> None:
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total))


def balances(contoso: Contoso) -> None:
    """Total = credits + paid + due, on every invoice."""
    for invoice in contoso.invoices():
        assert invoice.total_minor == invoice.credited_minor + invoice.paid_minor + invoice.due_minor


# Refunds.


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
def test_a_refund_whose_answer_got_lost_is_made_once(contoso: Contoso, bought: UUID, fault: str) -> None:
    contoso.sandbox.script(getattr(Faults(), fault)("refund"))
    resizes(contoso, bought, 2)
    (payment,) = contoso.payments()
    assert [refund.state for refund in payment.refunds.values()] == ["requested"]
    contoso.advances()
    (payment,) = contoso.payments()
    assert [refund.state for refund in payment.refunds.values()] == ["succeeded"]
    assert contoso.sandbox.refunded() == {"USD": 1_400}
    balances(contoso)


def test_a_refund_that_fails_goes_to_the_balance_which_the_next_invoice_uses(contoso: Contoso, bought: UUID) -> None:
    contoso.sandbox.script(Faults().decline("refund", "account_closed"))
    resizes(contoso, bought, 2)
    assert contoso.profile().balance_minor == 1_400
    (invoice,) = contoso.invoices()
    assert (invoice.due_minor, invoice.moved_minor, invoice.status) == (0, 1_400, "paid")
    contoso.advances(FEB_28)
    *_, renewal = contoso.invoices()
    assert (renewal.total_minor, renewal.balance_applied_minor, renewal.status) == (2_800, 1_400, "paid")
    assert contoso.profile().balance_minor == 0
    assert contoso.sandbox.captured() == {"USD": 4_200 + 1_400}
    assert contoso.sandbox.refunded() == {}
    balances(contoso)


@pytest.mark.parametrize("had_succeeded", [False, True])
def test_a_bank_that_sends_a_refund_back_days_later(
    contoso: Contoso, clock: Clock, bought: UUID, had_succeeded: bool
) -> None:
    if not had_succeeded:
        contoso.sandbox.script(Faults().refund_pending(then="succeeded", after=timedelta(days=5)))
    resizes(contoso, bought, 2)
    (payment,) = contoso.payments()
    (refund_id,) = payment.refunds
    assert payment.refunds[refund_id].state == ("succeeded" if had_succeeded else "requested")
    clock.now += timedelta(days=2)
    contoso.sandbox.fail_refund(refund_id, "account_closed")
    contoso.advances()
    assert contoso.profile().balance_minor == 1_400
    told = contoso.history()
    contoso.advances()
    assert contoso.history() == told  # learned once
    balances(contoso)


def test_a_refund_goes_to_the_card_that_paid(contoso: Contoso, bought: UUID) -> None:
    """Whatever the profile charges now; newest capture first, up to what is left of it."""
    paid_by = contoso.profile().payment_method_id
    contoso.changes_card("tok_mastercard")
    resizes(contoso, bought, 2)
    (refunded,) = [told for told in contoso.told() if isinstance(told, Payment.RefundRequested)]
    (payment,) = contoso.payments()
    assert payment.payment_method_id == paid_by
    assert refunded == event(Payment.RefundRequested, originator_id=payment.id, amount_minor=1_400)


# Disputes.


def disputes(contoso: Contoso, amount_minor: int | None = None) -> str:
    """The payer disputes the newest payment, and the run hears of it."""
    dispute_id = contoso.sandbox.dispute(contoso.payments()[-1].id, amount_minor)
    contoso.advances()
    return dispute_id


def test_a_disputed_invoice_is_open_again_and_nobody_is_in_grace(contoso: Contoso, clock: Clock, bought: UUID) -> None:
    disputes(contoso)
    (invoice,) = contoso.invoices()
    assert (invoice.status, invoice.due_minor, invoice.retry_on) == ("open", 4_200, None)
    assert contoso.subscription(bought).life == "active"
    told = contoso.history()
    clock.now += timedelta(days=20)
    contoso.advances()  # it is not collected while the bank decides
    assert contoso.history() == told
    balances(contoso)


def test_a_dispute_that_is_won_pays_it_again(contoso: Contoso, bought: UUID) -> None:
    dispute_id = disputes(contoso)
    contoso.sandbox.close_dispute(dispute_id, "won")
    contoso.advances()
    (invoice,) = contoso.invoices()
    assert (invoice.status, invoice.due_minor) == ("paid", 0)
    assert contoso.subscription(bought).life == "active"
    balances(contoso)


def test_a_dispute_that_is_won_after_a_cancellation_is_refunded_then(
    contoso: Contoso, clock: Clock, bought: UUID
) -> None:
    dispute_id = disputes(contoso)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **ending))
    assert contoso.sandbox.refunded() == {}  # the bank has it all
    contoso.sandbox.close_dispute(dispute_id, "won")
    clock.now += timedelta(days=1)
    contoso.advances()
    assert contoso.sandbox.refunded() == {"USD": 4_200}
    balances(contoso)


def test_a_dispute_that_is_lost_leaves_it_past_due_without_retries(
    contoso: Contoso, clock: Clock, bought: UUID
) -> None:
    dispute_id = disputes(contoso)
    contoso.sandbox.close_dispute(dispute_id, "lost")
    contoso.advances()
    (invoice,) = contoso.invoices()
    assert (invoice.status, invoice.due_minor, invoice.retry_on) == ("past_due", 4_200, None)
    assert contoso.subscription(bought).life == "active"
    clock.now += timedelta(days=25)
    contoso.advances()
    assert [invoice.status for invoice in contoso.invoices()] == ["past_due"]
    contoso.run(contoso.command(PayInvoice, contoso.buyer, invoice_id=invoice.id))
    assert contoso.invoices()[0].status == "paid"
    assert contoso.sandbox.captured() == {"USD": 2 * 4_200}
    balances(contoso)


def test_a_card_whose_payments_are_disputed_at_once(contoso: Contoso) -> None:
    contoso.opens_profile(contoso.melissa, "tok_disputed")
    bought = contoso.buys()
    contoso.advances()
    assert [invoice.status for invoice in contoso.invoices()] == ["open"]
    assert contoso.subscription(bought).life == "active"
    balances(contoso)


def test_a_part_in_dispute_is_not_refunded_twice(contoso: Contoso, bought: UUID) -> None:
    """30.00 of 42.00 are disputed: a cancellation gives back the 12.00 that are left."""
    disputes(contoso, 3_000)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **ending))
    assert contoso.sandbox.refunded() == {"USD": 1_200}
    balances(contoso)


def test_a_dispute_after_a_removal_counts_what_is_left(contoso: Contoso, bought: UUID) -> None:
    resizes(contoso, bought, 2)
    disputes(contoso)
    (invoice,) = contoso.invoices()
    assert (invoice.due_minor, contoso.payments()[0].refundable_minor) == (2_800, 0)
    balances(contoso)


# Charges of renewals.


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
def test_a_charge_whose_answer_got_lost_is_made_once(contoso: Contoso, bought: UUID, fault: str) -> None:
    contoso.sandbox.script(getattr(Faults(), fault)("charge"))
    contoso.advances(FEB_28)
    assert contoso.subscription(bought).life == "active"
    contoso.advances()
    assert contoso.invoices()[-1].status == "paid"
    assert contoso.sandbox.captured() == {"USD": 8_400}
    assert [told for told in contoso.told() if isinstance(told, Invoice.CollectionFailed)] == []


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
def test_what_is_cancelled_while_its_charge_is_unknown_is_given_back(
    contoso: Contoso, bought: UUID, fault: str
) -> None:
    contoso.sandbox.script(getattr(Faults(), fault)("charge").lost_request("find", times=2))
    contoso.advances(FEB_28)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **ending))
    for _ in range(2):
        contoso.advances()
    renewal = contoso.invoices()[-1]
    assert (renewal.credited_minor, renewal.due_minor) == (4_200, 0)
    assert contoso.sandbox.captured()["USD"] - contoso.sandbox.refunded().get("USD", 0) == 4_200
    balances(contoso)


def test_what_is_taken_back_before_its_hold_was_taken_is_given_back(contoso: Contoso) -> None:
    contoso.can_pay(contoso.melissa)
    contoso.sandbox.script(Faults().lost_request("capture").lost_request("find", times=2))
    bought = contoso.buys()
    resizes(contoso, bought, 1)
    for _ in range(2):
        contoso.advances()
    assert not contoso.sandbox.holds()
    assert contoso.sandbox.captured()["USD"] - contoso.sandbox.refunded()["USD"] == 1_400
    balances(contoso)


def test_a_bank_that_asks_for_the_payer_declines_a_renewal(contoso: Contoso, bought: UUID) -> None:
    """Nobody is there to confirm it: past due, until somebody pays on session."""
    contoso.changes_card("tok_action_required")
    contoso.advances(FEB_28)
    assert contoso.subscription(bought).life == "in_grace"
    (failed,) = [told for told in contoso.told() if isinstance(told, Invoice.CollectionFailed)]
    assert failed.code == "authentication_required"


def test_a_provider_that_is_away_for_days_changes_nothing(contoso: Contoso, clock: Clock, bought: UUID) -> None:
    contoso.sandbox.script(Faults().unavailable(calls=None))
    contoso.advances(FEB_28)
    clock.now += timedelta(days=4)
    contoso.advances()
    assert contoso.subscription(bought).life == "active"
    contoso.sandbox.clear_script()
    contoso.advances()
    assert contoso.invoices()[-1].status == "paid"
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_a_hold_that_expired_before_it_was_taken(contoso: Contoso, clock: Clock) -> None:
    """What was bought is there and not paid for: past due, with the usual retries."""
    contoso.can_pay(contoso.melissa)
    contoso.sandbox.script(Faults().decline("capture", "hold_expired"))
    bought = contoso.buys()
    assert contoso.subscription(bought).life == "in_grace"
    clock.now += timedelta(days=3)
    contoso.advances()
    assert contoso.subscription(bought).life == "active"
    assert contoso.sandbox.captured() == {"USD": 4_200}


def test_a_decline_of_a_renewal_is_told_with_its_code(contoso: Contoso, bought: UUID) -> None:
    contoso.changes_card("tok_declined_insufficient_funds")
    contoso.advances(FEB_28)
    (failed,) = [told for told in contoso.told() if isinstance(told, Invoice.CollectionFailed)]
    assert (failed.code, failed.due_minor, failed.state) == ("insufficient_funds", 4_200, "past_due")
    with contoso.declines(PaymentDeclined, why="insufficient_funds"):
        contoso.run(contoso.command(PayInvoice, contoso.buyer, invoice_id=contoso.invoices()[-1].id))
    assert contoso.subscription(bought).unpaid == [contoso.invoices()[-1].id]
