"""How the sandbox takes a call: faults first, then what its key was answered before, then acting; all of it logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sqlite3 import Connection
from typing import NamedTuple, NoReturn, TypeVar
from uuid import UUID

from adapters.payments.keys import IdempotencyKeyReused
from adapters.payments.sandbox_faults import Met, meet
from services.ports_payments import CardRefused

KEY_LASTS_US = 24 * 3_600_000_000
T = TypeVar("T")


class Incoming(NamedTuple):
    """A call as it comes in."""

    at: int
    step: str
    payment_id: str | None  # None: about a card
    attempt: int | None
    key: str


class Answer(NamedTuple):
    """What is remembered of an answer, and enough to give it again."""

    state: str
    code: str | None
    object: int | None  # the number of the payment or refund
    amount: int
    captured: int


class Call(NamedTuple):
    """A call as the sandbox logged it, for tracing."""

    at: int  # microseconds since 1970
    step: str
    payment_id: UUID | None
    attempt: int | None
    key: str
    answer: str | None  # a state, `none` for nothing found, `refused`; None where the request got lost
    code: str | None
    fault: str | None  # lost_request, lost_answer
    remembered: int  # 1: the first under its key, the one that acted


def answered(
    db: Connection, call: Incoming, content: bytes, act: Callable[[Connection, int, Mapping[str, Met]], Answer]
) -> Answer | None:
    """Answers a call with a key; None: the caller hears nothing."""
    met = meet(db, call.step, call.payment_id, call.key)
    if "lost_request" in met:
        _log(db, call, (None, 0, "lost_request"))
        return None
    first = db.execute(
        "SELECT at, content, answer, code, object, amount, captured FROM calls"
        " WHERE key = ? AND remembered ORDER BY id DESC LIMIT 1",
        (call.key,),
    ).fetchone()
    known = first is not None and call.at - first[0] < KEY_LASTS_US
    if known and first[1] != content:
        raise IdempotencyKeyReused(call.key)
    answer = Answer(*first[2:]) if known else act(db, call.at, met)
    lost = "lost_answer" if "lost_answer" in met else None
    # What did not find its payment has not begun: a provider remembers nothing of it.
    _log(db, call, (content, not known and answer.code != "no_such_payment", lost), *answer)
    return None if lost else answer


def looked_up(db: Connection, call: Incoming, act: Callable[[], T]) -> tuple[T | None, bool]:
    """Takes a call that needs no memory of keys; true: the caller hears nothing."""
    met = meet(db, call.step, call.payment_id, call.key)
    if "lost_request" in met:
        _log(db, call, (None, 0, "lost_request"))
        return None, True
    lost = "lost_answer" if "lost_answer" in met else None
    try:
        found = _refused(met["decline"]) if "decline" in met else act()
    except CardRefused as why:
        _log(db, call, (None, 0, lost), "refused", why.code, None, None, None)
        if lost:
            return None, True
        raise
    state = "none" if found is None else str(getattr(found, "state", "done"))
    _log(db, call, (None, 0, lost), state, getattr(found, "code", None), None, None, None)
    return found, lost is not None


def _refused(met: Met) -> NoReturn:
    raise CardRefused(met.code or "card_declined")


def _log(
    db: Connection, call: Incoming, memory: tuple[bytes | None, int, str | None], *answer: str | int | None
) -> None:
    values = answer or (None,) * 5
    db.execute(
        "INSERT INTO calls (at, step, payment_id, attempt, key, content, remembered, fault, answer, code, object,"
        " amount, captured) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        call + memory + values,
    )
