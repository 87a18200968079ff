"""The rules of the sandbox's money: what may be taken and given back, and what follows once it is."""

from collections.abc import Mapping
from sqlite3 import Connection
from typing import NamedTuple, cast

from adapters.payments.limits import limits_of
from adapters.payments.sandbox_cards import MAGIC
from adapters.payments.sandbox_faults import NOTHING, Met
from adapters.payments.sandbox_payments import Row, by_number


class RefundEnd(NamedTuple):
    state: str
    code: str | None = None


def left_of(db: Connection, row: Row) -> int:
    """What may still be given back: what was taken, without refunds (pending ones too) and disputes not won."""
    (gone,) = db.execute(
        "SELECT (SELECT ifnull(sum(amount), 0) FROM refunds WHERE payment = ?1 AND state <> 'failed')"
        " + (SELECT ifnull(sum(amount), 0) FROM disputes WHERE payment = ?1 AND state <> 'won')",
        (row.id,),
    ).fetchone()
    return row.captured - int(gone)


def why_not_captured(row: Row | None, amount: int) -> str | None:
    if row is None:
        return "no_such_payment"
    if row.state == "released":
        return "hold_expired"
    if row.state != "authorized":
        return "not_authorized"
    if amount > row.amount:
        return "amount_too_large"
    return None if amount > 0 and amount % limits_of(row.currency).step_minor == 0 else "amount_off_step"


def why_not_refunded(db: Connection, row: Row | None, amount: int, currency: str) -> str | None:
    if row is None:
        return "no_such_payment"
    if row.state != "captured":
        return "nothing_captured"
    if row.currency != currency:
        return "other_currency"
    if amount <= 0 or amount % limits_of(currency).step_minor:
        return "amount_off_step"
    return None if amount <= left_of(db, row) else "more_than_is_left"


def magic_of(db: Connection, row: Row) -> str:
    """The magic name of the card that a payment was charged to."""
    return cast("str", db.execute("SELECT magic FROM cards WHERE token = ?", (row.card,)).fetchone()[0])


def take(db: Connection, row: Row, amount: int, now: int, met: Mapping[str, Met] = NOTHING) -> None:
    """Takes what is held."""
    db.execute(
        "UPDATE payments SET state = 'captured', captured = ?, captured_at = ? WHERE id = ?", (amount, now, row.id)
    )
    taken(db, row._replace(state="captured", captured=amount), magic_of(db, row), now, met)


def taken(db: Connection, row: Row, magic: str, now: int, met: Mapping[str, Met]) -> None:
    """What follows once money is taken: a notice, and the dispute of a card that disputes everything."""
    notice(db, "capture", row, now, met)
    if MAGIC[magic].disputed:
        open_dispute(db, row, row.captured, now)


def open_dispute(db: Connection, row: Row, amount: int, now: int) -> int:
    opened = db.execute(
        "INSERT INTO disputes (payment, amount, state, opened_at) VALUES (?, ?, 'open', ?)", (row.id, amount, now)
    )
    notice(db, "dispute", row, now)
    return cast("int", opened.lastrowid)


def notice(db: Connection, kind: str, row: Row, now: int, met: Mapping[str, Met] = NOTHING) -> None:
    """Queues a hint that something has happened: late or twice, where a fault says so."""
    due = now + met["late_notice"].after if "late_notice" in met else now
    for _ in range(2 if "double_notice" in met else 1):
        db.execute(
            "INSERT INTO notices (due_at, kind, payment_id, attempt) VALUES (?, ?, ?, ?)",
            (due, kind, row.payment_id, row.attempt),
        )


def finish_refund(db: Connection, number: int, end: RefundEnd, now: int, met: Mapping[str, Met] = NOTHING) -> None:
    """Ends a refund, also one that had succeeded and comes back."""
    (payment,) = db.execute(
        "UPDATE refunds SET state = ?1, code = ?2, due_at = NULL,"
        " succeeded_at = iif(?1 = 'succeeded', ?3, succeeded_at), failed_at = iif(?1 = 'failed', ?3, failed_at)"
        " WHERE id = ?4 RETURNING payment",
        (*end, now, number),
    ).fetchone()
    notice(db, "refund", cast("Row", by_number(db, payment)), now, met)


def finish_due_refunds(db: Connection, now: int) -> None:
    """Ends the pending refunds whose time has come, at the time that it came."""
    due = db.execute(
        "SELECT id, becomes, due_at FROM refunds WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, id", (now,)
    ).fetchall()
    for number, becomes, at in due:
        finish_refund(db, number, RefundEnd(becomes, "refund_failed" if becomes == "failed" else None), at)
