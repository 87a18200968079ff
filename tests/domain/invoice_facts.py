"""What happens to an invoice of 42.00, as facts of its tests."""

from collections.abc import Callable
from datetime import date
from typing import Literal
from uuid import UUID

from domain.invoice import Invoice
from domain.invoice_line import Removal
from tests.examples import (
    A_CREDIT_NOTE,
    A_REFUND,
    PAYMENT,
    an_id,
)

Deed = Callable[[Invoice], None]

ANOTHER_PAYMENT = an_id(71)
MARCH_1 = date(2025, 3, 1)


def started(invoice: Invoice) -> None:
    invoice.start_collection(PAYMENT, 4_200)


def received(amount_minor: int = 4_200, *, payment_id: UUID = PAYMENT) -> Deed:
    return lambda invoice: invoice.receive(payment_id, amount_minor)


def failed(on: date = MARCH_1, *, payment_id: UUID = PAYMENT) -> Deed:
    return lambda invoice: invoice.fail_collection(payment_id, "insufficient_funds", on)


def attempted(on: date) -> Deed:
    def attempt(invoice: Invoice) -> None:
        started(invoice)
        failed(on)(invoice)

    return attempt


def ended(invoice: Invoice) -> None:
    invoice.end_collection(PAYMENT)


def deferred(invoice: Invoice) -> None:
    invoice.defer_collection()


def balance_applied(amount_minor: int) -> Deed:
    return lambda invoice: invoice.apply_balance(amount_minor)


def credited(licenses: int) -> Deed:
    return lambda invoice: invoice.credit(
        [Removal(line=1, licenses=licenses, days=28)],
        credit_note_id=A_CREDIT_NOTE,
        number="W57DWE-Z2KKH7-C00001",
        reason="cancelled",
        issued_on=date(2025, 1, 31),
    )


def refunded(amount_minor: int) -> Deed:
    return lambda invoice: invoice.count_refund(PAYMENT, A_REFUND, amount_minor)


def refund_reversed(invoice: Invoice) -> None:
    invoice.reverse_refund(A_REFUND)


def moved(amount_minor: int) -> Deed:
    return lambda invoice: invoice.move_to_balance(amount_minor)


def disputed(amount_minor: int = 4_200) -> Deed:
    return lambda invoice: invoice.dispute(PAYMENT, "dp_1", amount_minor)


def dispute(outcome: Literal["won", "lost"]) -> Deed:
    return lambda invoice: invoice.close_dispute("dp_1", outcome)


def written_off(invoice: Invoice) -> None:
    invoice.write_off(MARCH_1)
