"""The events of a save are read in the order in which they came about."""

from typing import Any
from uuid import UUID

from projections.audit.amounts import Told
from projections.audit.causal_order import as_it_came_about
from tests.examples import an_id

PROFILE, FIRST, SECOND, PAYMENT = (an_id(number) for number in range(501, 505))


def told(*events: tuple[str, UUID, dict[str, Any]]) -> list[Told]:
    return [Told(seq, kind, one, facts, "") for seq, (kind, one, facts) in enumerate(events, start=1)]


def order_of(save: list[Told]) -> list[list[int]]:
    return [[one.seq for one in together] for together in as_it_came_about(save)]


def test_events_of_one_moment_come_together_and_the_invoice_says_how_much() -> None:
    save = told(
        ("BillingProfile.CreditBalanceUsed", PROFILE, {"invoice_id": FIRST}),
        ("Invoice.InvoiceIssued", FIRST, {}),
        ("Invoice.CreditBalanceApplied", FIRST, {}),
        ("Invoice.CollectionStarted", FIRST, {"payment_id": PAYMENT}),
        ("Payment.PaymentRequested", PAYMENT, {}),
    )
    assert order_of(save) == [[2], [3, 1], [4, 5]]


def test_what_moved_to_the_balance_first_is_there_for_the_invoice_that_uses_it() -> None:
    save = told(
        ("BillingProfile.CreditBalanceIncreased", PROFILE, {"invoice_id": SECOND}),
        ("BillingProfile.CreditBalanceUsed", PROFILE, {"invoice_id": FIRST}),
        ("Invoice.CreditBalanceApplied", FIRST, {}),
        ("Invoice.MovedToCreditBalance", SECOND, {}),
    )
    assert order_of(save) == [[4, 1], [3, 2]]


def test_a_bank_says_how_much_it_takes_back() -> None:
    save = told(
        ("Invoice.PaymentDisputed", FIRST, {"dispute_id": "d"}),
        ("Payment.PaymentDisputed", PAYMENT, {"dispute_id": "d"}),
    )
    assert order_of(save) == [[2, 1]]


def test_a_history_that_nobody_told_is_read_to_its_end() -> None:
    save = told(
        ("Invoice.RefundCounted", FIRST, {"refund_id": 1}),
        ("Invoice.RefundCounted", FIRST, {"refund_id": 2}),
        ("Payment.RefundRequested", PAYMENT, {"refund_id": 2}),
        ("Payment.RefundRequested", PAYMENT, {"refund_id": 1}),
    )
    assert sorted(seq for together in order_of(save) for seq in together) == [1, 2, 3, 4]
