"""The world around the sandbox: what payers, banks and operators do to it, and what an audit sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Literal, NamedTuple, Self
from uuid import UUID

from adapters.payments.sandbox_calls import Call
from adapters.payments.sandbox_faults import Faults, keep
from adapters.payments.sandbox_file import SandboxFile
from adapters.payments.sandbox_payments import (
    EPOCH,
    HOLD_LASTS_US,
    MICROSECOND,
    all_rows,
    dispute_reference,
    newest,
    shown,
)
from adapters.payments.sandbox_rules import (
    RefundEnd,
    finish_due_refunds,
    finish_refund,
    left_of,
    notice,
    open_dispute,
    take,
)
from services.ports_payments import ProviderPayment

NOTICES_A_TIME = 1000


class Notice(NamedTuple):
    """A hint that something happened to an attempt; what, `find` tells. It may come late, twice and out of order."""

    kind: Literal["capture", "refund", "dispute"]
    payment_id: UUID
    attempt: int


class World:
    """Everything around the gateway that is no call of ours."""

    def __init__(self, file: SandboxFile, clock: Callable[[], datetime]) -> None:
        self._file, self._clock = file, clock

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _us(self) -> int:
        return (self._clock() - EPOCH) // MICROSECOND

    @contextmanager
    def together(self) -> Iterator[None]:
        """Takes the calls of this block in one transaction: faster, and gone together where the process is killed."""
        with self._file:
            yield

    # Faults

    def script(self, faults: Faults) -> None:
        """Adds faults to those that the next calls meet, in whichever process."""
        with self._file as db:
            keep(db, faults)

    def clear_script(self) -> None:
        with self._file as db:
            db.execute("DELETE FROM faults")

    # What payers and banks do

    def confirm(self, payment_id: UUID, attempt: int, *, agrees: bool = True) -> None:
        """The payer confirms what the bank asks, or does not."""
        with self._file as db:
            now, row = self._us(), newest(db, str(payment_id), attempt)
            if row is None or row.state != "action_required":
                raise LookupError("no attempt of this payment waits for its payer")
            if not agrees:
                facts = "state = 'declined', code = 'authentication_failed'"
                db.execute(f"UPDATE payments SET {facts} WHERE id = ?", (row.id,))  # noqa: S608 - our own words
                return
            db.execute("UPDATE payments SET state = 'authorized', held_at = ? WHERE id = ?", (now, row.id))
            if row.takes:
                take(db, row, row.amount, now)

    def dispute(self, payment_id: UUID, amount_minor: int | None = None) -> str:
        """The payer disputes a part of the newest attempt, or all that is left of it; gives the dispute's id."""
        with self._file as db:
            row = newest(db, str(payment_id))
            left = left_of(db, row) if row else 0
            if row is None or not 0 < (amount := left if amount_minor is None else amount_minor) <= left:
                raise LookupError("there is not so much left of this payment to dispute")
            return dispute_reference(open_dispute(db, row, amount, self._us()))

    def close_dispute(self, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
        """The bank decides: won by us, the money comes back; lost, it stays away."""
        with self._file as db:
            closed = db.execute(
                "UPDATE disputes SET state = ?, closed_at = ? WHERE 'sandbox_dispute_' || id = ? AND state = 'open'"
                " RETURNING payment",
                (outcome, self._us(), dispute_id),
            ).fetchone()
            if closed is None:
                raise LookupError("there is no such open dispute")
            [row] = all_rows(db, "id = ?", *closed)
            notice(db, "dispute", row, self._us())

    def fail_refund(self, refund_id: UUID, code: str = "refund_failed") -> None:
        """The bank sends a refund back, also one that had succeeded."""
        self._finish(refund_id, ("pending", "succeeded"), RefundEnd("failed", code))

    def finish_refund(self, refund_id: UUID) -> None:
        """A pending refund succeeds."""
        self._finish(refund_id, ("pending", "pending"), RefundEnd("succeeded"))

    def _finish(self, refund_id: UUID, of: tuple[str, str], end: RefundEnd) -> None:
        with self._file as db:
            found = db.execute(
                "SELECT id FROM refunds WHERE refund_id = ? AND state IN (?, ?) ORDER BY id DESC LIMIT 1",
                (str(refund_id), *of),
            ).fetchone()
            if found is None:
                raise LookupError(f"there is no such refund that is {' or '.join(dict.fromkeys(of))}")
            finish_refund(db, found[0], end, self._us())

    def notices(self) -> list[Notice]:
        """The hints that are due on the clock, each given once (or as often as a fault doubled it)."""
        with self._file as db:
            finish_due_refunds(db, self._us())
            due = db.execute(
                "SELECT id, kind, payment_id, attempt FROM notices WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
                (self._us(), NOTICES_A_TIME),
            ).fetchall()
            db.executemany("DELETE FROM notices WHERE id = ?", [(row[0],) for row in due])
        return [Notice(kind, UUID(payment_id), attempt) for _, kind, payment_id, attempt in due]

    # What an audit sees

    def payments(self, payment_id: UUID | None = None) -> list[ProviderPayment]:
        """Every attempt that ever got here, oldest first; one that was charged twice stands here twice."""
        where = ("payment_id = ?", str(payment_id)) if payment_id else ("1",)
        with self._file as db:
            finish_due_refunds(db, self._us())
            return [shown(db, row.at(self._us())) for row in all_rows(db, *where)]

    def holds(self) -> list[ProviderPayment]:
        """The holds that are open now."""
        with self._file as db:
            rows = all_rows(db, "state = 'authorized' AND held_at > ?", self._us() - HOLD_LASTS_US)
            return [shown(db, row) for row in rows]

    def captured(self) -> dict[str, int]:
        """What was taken, in minor units of each currency."""
        with self._file as db:
            sums = "SELECT currency, sum(captured) FROM payments WHERE captured > 0 GROUP BY currency"
            return dict(db.execute(sums).fetchall())

    def refunded(self) -> dict[str, int]:
        """What was given back, or is about to be."""
        with self._file as db:
            finish_due_refunds(db, self._us())
            sums = (
                "SELECT p.currency, sum(r.amount) FROM refunds r JOIN payments p ON p.id = r.payment"
                " WHERE r.state <> 'failed' GROUP BY p.currency"
            )
            return dict(db.execute(sums).fetchall())

    def calls(self, payment_id: UUID | None = None) -> list[Call]:
        """The log of calls, oldest first."""
        columns = "at, step, payment_id, attempt, key, answer, code, fault, remembered"
        where, values = ("payment_id = ?", [str(payment_id)]) if payment_id else ("1", [])
        with self._file as db:
            rows = db.execute(f"SELECT {columns} FROM calls WHERE {where} ORDER BY id", values)  # noqa: S608 - our own words
            return [Call(at, step, UUID(of) if of else None, *rest) for at, step, of, *rest in rows]
