"""A strict payment provider of our own: the default where no other is set. No money moves.

It remembers keys for a day on the clock that it is given, holds for a week, refuses refunds beyond what is left, asks
for the payer, disputes, loses answers; all of that by magic tokens (sandbox_cards) or by script (sandbox_faults).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar, cast
from uuid import UUID

from adapters.payments.keys import key_of, refund_key
from adapters.payments.limits import limits_of
from adapters.payments.sandbox_calls import Answer, Incoming, answered, looked_up
from adapters.payments.sandbox_card_file import edited, forgotten, stored, why_declined
from adapters.payments.sandbox_cards import MAGIC
from adapters.payments.sandbox_faults import Met
from adapters.payments.sandbox_file import SandboxFile
from adapters.payments.sandbox_payments import Row, action_url, reference_of, row_of, shown
from adapters.payments.sandbox_rules import (
    RefundEnd,
    finish_due_refunds,
    finish_refund,
    magic_of,
    take,
    taken,
    why_not_captured,
    why_not_refunded,
)
from adapters.payments.sandbox_settlement import settled
from adapters.payments.sandbox_world import World
from services.ports_payments import (
    Card,
    CardEdit,
    CardRefused,
    ChargeRequest,
    GatewayUnavailable,
    Limits,
    PaymentHandle,
    ProviderPayment,
    ProviderRefund,
    ProviderState,
    SettlementRow,
)

REFUND_FAILS_AFTER_US = 24 * 3_600_000_000
Mets = Mapping[str, Met]
T = TypeVar("T")


class Sandbox(World):
    """The gateway of the sandbox, for as many threads and processes as like; `path` None keeps it in memory.

    It is not to be carried across a fork. What the world outside does (payers, banks) and what a test may look at
    stands in `World`.
    """

    name = "sandbox"

    def __init__(self, path: Path | None, *, clock: Callable[[], datetime]) -> None:
        super().__init__(SandboxFile(path), clock)

    def for_clock(self, clock: Callable[[], datetime]) -> Sandbox:
        """The same provider, called at another time."""
        other = Sandbox.__new__(Sandbox)
        World.__init__(other, self._file, clock)
        return other

    # Cards

    def store(self, token: str, *, owner_id: UUID, organization_id: UUID) -> Card:
        now = self._clock()
        return cast("Card", self._card("store", token, lambda db: stored(db, token, owner_id, organization_id, now)))

    def edit(self, token: str, changes: CardEdit) -> Card:
        now = self._clock()
        return cast("Card", self._card("edit", token, lambda db: edited(db, token, changes, now)))

    def forget(self, token: str) -> None:
        self._card("forget", token, lambda db: forgotten(db, token))

    def _card(self, step: str, token: str, act: Callable[[Connection], T]) -> T | None:
        refused: CardRefused | None = None
        card, lost = None, False
        with self._file as db:
            try:
                card, lost = looked_up(
                    db, Incoming(self._us(), step, None, None, _digest(token).hex()), lambda: act(db)
                )
            except CardRefused as why:  # raised again below: what was logged stays
                refused = why
        if lost:
            raise GatewayUnavailable
        if refused:
            raise refused
        return card

    # Payments

    def authorize(self, request: ChargeRequest) -> ProviderPayment:
        return self._attempt("authorize", request)

    def charge(self, request: ChargeRequest) -> ProviderPayment:
        return self._attempt("charge", request)

    def _attempt(self, step: str, request: ChargeRequest) -> ProviderPayment:
        def act(db: Connection, at: int, met: Mets) -> Answer:
            magic, code = why_declined(db, handle.token, amount, currency, self._clock())
            state = "captured" if step == "charge" else "authorized"
            if code is None and "decline" in met:
                code = met["decline"].code
            if code is not None:
                state = "declined"
            elif MAGIC[magic].asks or "action_required" in met:
                state, code = ("action_required", None) if on_session else ("declined", "authentication_required")
            got, captured_at = (amount, at) if state == "captured" else (0, None)
            facts = str(handle.payment_id), handle.attempt, step == "charge", handle.token, amount, currency
            number = db.execute(
                "INSERT INTO payments (payment_id, attempt, takes, card, amount, currency, state, code, held_at,"
                " captured, captured_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*facts, state, code, at, got, captured_at),
            ).lastrowid
            if got:
                taken(db, Row(cast("int", number), *facts, state, code, at, got), magic, at, met)
            return Answer(state, code, number, amount, got)

        handle, amount, currency, on_session, description = request
        content = f"{handle.token}:{amount}:{currency}:{on_session}:{description}"
        return self._payment(step, handle, content, act)

    def capture(self, handle: PaymentHandle, amount_minor: int) -> ProviderPayment:
        """Takes what is held, once: another capture answers what was taken."""

        def act(db: Connection, now: int, met: Mets) -> Answer:
            row = row_of(db, handle, now)
            code = why_not_captured(row, amount_minor)
            if row is None:
                return Answer("declined", code, None, amount_minor, 0)
            if row.state == "captured":
                return Answer(row.state, None, row.id, row.amount, row.captured)
            if code is None and "decline" in met:
                code = met["decline"].code
                if code == "hold_expired":
                    db.execute("UPDATE payments SET state = 'released', code = ? WHERE id = ?", (code, row.id))
            if code is not None:
                return Answer("declined", code, row.id, row.amount, 0)
            take(db, row, amount_minor, now, met)
            return Answer("captured", None, row.id, row.amount, amount_minor)

        return self._payment("capture", handle, str(amount_minor), act)

    def release(self, handle: PaymentHandle) -> ProviderPayment | None:
        """Never remembered under its key: doing it again changes nothing, and what was not there may come later."""

        def act(db: Connection, row: Row) -> Row:
            if row.state not in {"authorized", "action_required"}:
                return row
            db.execute("UPDATE payments SET state = 'released', code = NULL WHERE id = ?", (row.id,))
            return row._replace(state="released", code=None)

        return self._look("release", handle, act)

    def refund(self, handle: PaymentHandle, refund_id: UUID, amount_minor: int, currency: str) -> ProviderRefund:
        def act(db: Connection, now: int, met: Mets) -> Answer:
            finish_due_refunds(db, now)
            row = row_of(db, handle, now)
            code = why_not_refunded(db, row, amount_minor, currency)
            if code is None and "decline" in met:
                code = met["decline"].code
            if row is None or code is not None:
                return Answer("failed", code, None, amount_minor, 0)
            due, becomes = None, None
            if pending := met.get("refund_pending"):
                due, becomes = now + pending.after, pending.becomes
            if MAGIC[magic_of(db, row)].refund_fails:
                due, becomes = now + REFUND_FAILS_AFTER_US, "failed"
            number = db.execute(
                "INSERT INTO refunds (refund_id, payment, amount, state, due_at, becomes)"
                " VALUES (?, ?, ?, 'pending', ?, ?)",
                (str(refund_id), row.id, amount_minor, due, becomes),
            ).lastrowid
            if due is None:
                finish_refund(db, cast("int", number), RefundEnd("succeeded"), now, met)
            return Answer("succeeded" if due is None else "pending", None, number, amount_minor, 0)

        key = refund_key(handle, refund_id)
        answer = self._answer("refund", handle, key, f"{amount_minor}:{currency}", act)
        return ProviderRefund(refund_id, answer.amount, answer.state, answer.code)  # type: ignore[arg-type]  # a refund's

    def find(self, handle: PaymentHandle) -> ProviderPayment | None:
        return self._look("find", handle, lambda _, row: row)

    def limits(self, currency: str) -> Limits:
        return limits_of(currency)

    def settlement(self, since: date, until: date) -> Iterable[SettlementRow]:
        with self._file as db:
            finish_due_refunds(db, self._us())
            return settled(db, since, until)

    def _payment(
        self, step: str, handle: PaymentHandle, content: str, act: Callable[[Connection, int, Mets], Answer]
    ) -> ProviderPayment:
        state, code, number, amount, got = self._answer(step, handle, key_of(handle, step), content, act)
        reference, url = (reference_of(number), action_url(number, state)) if number else ("", None)
        return ProviderPayment(
            handle.payment_id, handle.attempt, reference, cast("ProviderState", state), amount, got, code, url
        )

    def _answer(
        self,
        step: str,
        handle: PaymentHandle,
        key: str,
        content: str,
        act: Callable[[Connection, int, Mets], Answer],
    ) -> Answer:
        call = Incoming(self._us(), step, str(handle.payment_id), handle.attempt, key)
        with self._file as db:
            answer = answered(db, call, _digest(content), act)
        if answer is None:
            raise GatewayUnavailable
        return answer

    def _look(self, step: str, handle: PaymentHandle, act: Callable[[Connection, Row], Row]) -> ProviderPayment | None:
        def seen() -> ProviderPayment | None:
            finish_due_refunds(db, call.at)
            row = row_of(db, handle, call.at)
            return None if row is None else shown(db, act(db, row))

        call = Incoming(self._us(), step, str(handle.payment_id), handle.attempt, key_of(handle, step))
        with self._file as db:
            payment, lost = looked_up(db, call, seen)
        if lost:
            raise GatewayUnavailable
        return payment


def _digest(content: str) -> bytes:
    return blake2b(content.encode(), digest_size=16).digest()
