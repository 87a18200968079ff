"""Faults of the sandbox, by script or by seed. They lie in its file: whichever process calls next meets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from sqlite3 import Connection
from typing import Literal, NamedTuple, Self
from uuid import UUID

Step = Literal["authorize", "charge", "capture", "release", "refund", "find", "store", "edit", "forget"]
FaultKind = Literal[
    "decline", "action_required", "refund_pending", "lost_request", "lost_answer", "late_notice", "double_notice"
]
STEPS: tuple[Step, ...] = ("authorize", "charge", "capture", "release", "refund", "find", "store", "edit", "forget")
MEETS: dict[FaultKind, tuple[Step, ...]] = {
    "decline": ("authorize", "charge", "capture", "refund", "store", "edit"),
    "action_required": ("authorize", "charge"),
    "refund_pending": ("refund",),
    "lost_request": STEPS,
    "lost_answer": STEPS,
    "late_notice": ("charge", "capture", "refund"),
    "double_notice": ("charge", "capture", "refund"),
}
A_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class Fault(NamedTuple):
    """One fault. It counts the calls of its step (and payment): after `skip` of them it meets `times`; None: all."""

    step: Step
    kind: FaultKind
    code: str | None = None
    payment_id: UUID | None = None
    skip: int = 0
    times: int | None = 1
    after: timedelta = A_DAY  # when a refund is finished or a late notice comes
    becomes: Literal["succeeded", "failed"] | None = None  # the pending refund
    seed: int | None = None
    rate: float | None = None  # of all calls, instead of counting


@dataclass(frozen=True)
class Faults:
    """A plan of faults; `call` counts from 1: the n-th call of the step from when the plan is given to the sandbox."""

    plan: tuple[Fault, ...] = ()

    def _and(self, step: Step, kind: FaultKind, *, call: int, times: int | None = 1, **more: object) -> Self:
        if step not in MEETS[kind]:
            raise ValueError(f"{kind} cannot meet {step}")
        return replace(self, plan=(*self.plan, Fault(step, kind, skip=call - 1, times=times, **more)))  # type: ignore[arg-type]  # the callers below are typed

    def decline(
        self, step: Step, code: str, *, call: int = 1, times: int | None = 1, payment_id: UUID | None = None
    ) -> Self:
        """The call is declined, the refund fails, the card is refused."""
        return self._and(step, "decline", call=call, times=times, code=code, payment_id=payment_id)

    def lost_request(self, step: Step, *, call: int = 1, times: int | None = 1, payment_id: UUID | None = None) -> Self:
        """The call never gets there: GatewayUnavailable, and nothing is done."""
        return self._and(step, "lost_request", call=call, times=times, payment_id=payment_id)

    def lost_answer(self, step: Step, *, call: int = 1, times: int | None = 1, payment_id: UUID | None = None) -> Self:
        """It is done, and the answer is lost: GatewayUnavailable."""
        return self._and(step, "lost_answer", call=call, times=times, payment_id=payment_id)

    def unavailable(self, *, calls: int | None, steps: tuple[Step, ...] = STEPS, call: int = 1) -> Self:
        """The next calls of each step never get there; None: until the script is cleared."""
        plan = self
        for step in steps:
            plan = plan.lost_request(step, call=call, times=calls)
        return plan

    def action_required(self, step: Step, *, call: int = 1, payment_id: UUID | None = None) -> Self:
        """The bank asks for the payer; off session that is a decline."""
        return self._and(step, "action_required", call=call, payment_id=payment_id)

    def refund_pending(
        self,
        *,
        then: Literal["succeeded", "failed"],
        after: timedelta = A_DAY,
        call: int = 1,
        payment_id: UUID | None = None,
    ) -> Self:
        """The refund waits, and is finished so long after on the clock, or when the sandbox is told."""
        return self._and("refund", "refund_pending", call=call, payment_id=payment_id, after=after, becomes=then)

    def late_notice(self, step: Step, *, by: timedelta, call: int = 1, times: int | None = 1) -> Self:
        """The notice comes late, and with that out of order."""
        return self._and(step, "late_notice", call=call, times=times, after=by)

    def double_notice(self, step: Step, *, call: int = 1, times: int | None = 1) -> Self:
        return self._and(step, "double_notice", call=call, times=times)

    @classmethod
    def seeded(cls, seed: int, rates: Mapping[FaultKind, float], *, steps: tuple[Step, ...] = STEPS) -> Self:
        """Faults at random: whether one meets a call depends on the seed, the call's key and how often it came."""
        plan = [
            Fault(step, kind, times=None, seed=seed, rate=rate, code="card_declined", becomes="succeeded")
            for kind, rate in rates.items()
            for step in MEETS[kind]
            if step in steps
        ]
        return cls(tuple(plan))


class Met(NamedTuple):
    """What a fault tells the call that meets it."""

    code: str | None
    after: int
    becomes: str | None


NOTHING: Mapping[str, Met] = {}


def keep(db: Connection, faults: Faults) -> None:
    """Puts a plan into the file, behind those that are there."""
    rows = [
        fault._replace(
            payment_id=str(fault.payment_id) if fault.payment_id else None,  # type: ignore[arg-type]  # as SQLite has it
            after=fault.after // _MICROSECOND,  # type: ignore[arg-type]  # likewise
        )
        for fault in faults.plan
    ]
    columns = "step, kind, code, payment_id, skip, times, after, becomes, seed, rate"
    db.executemany(f"INSERT INTO faults ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - our own words


def meet(db: Connection, step: str, payment_id: str | None, key: str) -> Mapping[str, Met]:
    """The faults that a call meets, by kind; each is counted down."""
    rows = db.execute(
        "SELECT id, kind, code, payment_id, skip, times, after, becomes, seed, rate FROM faults WHERE step = ?",
        (step,),
    ).fetchall()
    return dict(_met(db, rows, payment_id, key)) if rows else NOTHING


def _met(
    db: Connection,
    rows: list[tuple[int, str, str | None, str | None, int, int | None, int, str | None, int, float | None]],
    payment_id: str | None,
    key: str,
) -> Iterator[tuple[str, Met]]:
    for number, kind, code, only, skip, times, after, becomes, seed, rate in rows:
        if only is not None and only != payment_id:
            continue
        if rate is not None:
            if _chance(db, seed, kind, key) < rate:
                yield kind, Met(code, after, becomes)
        elif skip:
            db.execute("UPDATE faults SET skip = skip - 1 WHERE id = ?", (number,))
        else:
            if times is not None:
                db.execute("UPDATE faults SET times = times - 1 WHERE id = ?", (number,))
                db.execute("DELETE FROM faults WHERE id = ? AND times <= 0", (number,))
            yield kind, Met(code, after, becomes)


def _chance(db: Connection, seed: int, kind: str, key: str) -> float:
    """A number below 1 that does not depend on which thread or process comes first."""
    (times,) = db.execute("SELECT count(*) FROM calls WHERE key = ?", (key,)).fetchone()
    digest = blake2b(f"{seed}:{kind}:{key}:{times}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
