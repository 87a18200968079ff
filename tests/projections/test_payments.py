from projections.payments import MOVEMENTS, PAYMENTS, Payments
from tests.examples import A_PAYMENT, BILLING_PROFILE, INVOICE, PAYMENT, TODAY, an_id
from tests.projections.histories import History, ReadModel

A_REFUND = an_id(701)


def test_money_that_came_went_and_came_back_has_a_row_for_each_movement() -> None:
    history, payment = History(), A_PAYMENT()
    payment.authorize("reference")
    payment.capture("reference")
    payment.request_refund(A_REFUND, invoice_id=INVOICE, amount_minor=700)
    payment.succeed_refund(A_REFUND)
    payment.fail_refund(A_REFUND, "refund_failed")
    payment.dispute("dispute_1", invoice_id=INVOICE, amount_minor=900)
    payment.close_dispute("dispute_1", "won")
    history.tell(payment)
    model = ReadModel(Payments()).fold(history.events)
    assert [(row.kind, row.amount_minor, row.recorded_on) for row in model[MOVEMENTS]] == [
        ("capture", 4_200, TODAY),
        ("refund", 700, TODAY),
        ("refund_reversal", 700, TODAY),
        ("dispute", 900, TODAY),
        ("dispute_reversal", 900, TODAY),
    ]
    (row,) = model[PAYMENTS]
    assert (row.payment_id, row.billing_profile_id) == (PAYMENT, BILLING_PROFILE)


def test_a_refund_that_never_arrived_and_a_lost_dispute_move_nothing_back() -> None:
    history, payment = History(), A_PAYMENT()
    payment.capture("reference")
    payment.request_refund(A_REFUND, invoice_id=INVOICE, amount_minor=700)
    payment.fail_refund(A_REFUND, "refund_failed")
    payment.dispute("dispute_1", invoice_id=INVOICE, amount_minor=900)
    payment.close_dispute("dispute_1", "lost")
    history.tell(payment)
    kinds = [row.kind for row in ReadModel(Payments()).fold(history.events)[MOVEMENTS]]
    assert kinds == ["capture", "dispute"]
