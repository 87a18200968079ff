"""Payments as the sandbox keeps them: how they are read, shown, taken and finished."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from typing import NamedTuple, cast
from uuid import UUID

from services.ports_payments import PaymentHandle, ProviderDispute, ProviderPayment, ProviderRefund, ProviderState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOLD_LASTS = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)
HOLD_LASTS_US = HOLD_LASTS // MICROSECOND
_PREFIX = "sandbox_pay_"
_SELECT = (
    "SELECT id, payment_id, attempt, takes, card, amount, currency, state, code, held_at, captured FROM payments WHERE "
)


class Row(NamedTuple):
    """A row of `payments`."""

    id: int
    payment_id: str
    attempt: int
    takes: int  # 1: a charge, taken as soon as it is held
    card: str
    amount: int
    currency: str
    state: str
    code: str | None
    held_at: int
    captured: int

    def at(self, now: int) -> Row:
        """The payment at that time: a hold that nobody took in time is gone."""
        if self.state == "authorized" and now >= self.held_at + HOLD_LASTS_US:
            return self._replace(state="released", code="hold_expired")
        return self


def reference_of(number: int) -> str:
    return f"{_PREFIX}{number}"


def action_url(number: int, state: str) -> str | None:
    return f"https://sandbox.invalid/confirm/{number}" if state == "action_required" else None


def newest(db: Connection, payment_id: str, attempt: int | None = None) -> Row | None:
    """The last payment of ours; the newest attempt where none is asked for."""
    found = db.execute(
        _SELECT + "payment_id = ? AND attempt = ifnull(?, attempt) ORDER BY attempt DESC, id DESC LIMIT 1",
        (payment_id, attempt),
    ).fetchone()
    return Row(*found) if found else None


def row_of(db: Connection, handle: PaymentHandle, now: int) -> Row | None:
    """The payment that a handle names: by its reference where that is known."""
    if handle.reference is None:
        row = newest(db, str(handle.payment_id), handle.attempt)
    else:
        number = handle.reference.removeprefix(_PREFIX)
        row = by_number(db, int(number)) if number.isdecimal() else None
        if row and (row.payment_id, row.attempt) != (str(handle.payment_id), handle.attempt):
            row = None
    return row and row.at(now)


def by_number(db: Connection, number: int) -> Row | None:
    found = db.execute(_SELECT + "id = ?", (number,)).fetchone()
    return Row(*found) if found else None


def all_rows(db: Connection, where: str = "1", *values: object) -> list[Row]:
    found = db.execute(_SELECT + where + " ORDER BY id", values)
    return [Row(*row) for row in found]


def shown(db: Connection, row: Row) -> ProviderPayment:
    """The payment with its refunds and disputes, as the port tells it."""
    refunds = db.execute("SELECT refund_id, amount, state, code FROM refunds WHERE payment = ? ORDER BY id", (row.id,))
    disputes = db.execute("SELECT id, amount, state FROM disputes WHERE payment = ? ORDER BY id", (row.id,))
    return ProviderPayment(
        UUID(row.payment_id),
        row.attempt,
        reference_of(row.id),
        cast("ProviderState", row.state),
        row.amount,
        row.captured,
        row.code,
        action_url(row.id, row.state),
        tuple(ProviderRefund(UUID(refund_id), *rest) for refund_id, *rest in refunds),
        tuple(ProviderDispute(dispute_reference(number), *rest) for number, *rest in disputes),
    )


def dispute_reference(number: int) -> str:
    return f"sandbox_dispute_{number}"
