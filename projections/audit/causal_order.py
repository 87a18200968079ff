"""The order in which the events of one save came about.

A save keeps the events of an aggregate together, one aggregate after the other. What an invoice owed when a payment was
requested, though, shows only where both stand side by side: events that two aggregates told at one moment know of each
other, and nothing that comes after one of them is taken before the other.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from projections.audit.amounts import Told

Pair = tuple[str, Any]

PAIRS: dict[str, tuple[str, str]] = {
    "Invoice.CreditBalanceApplied": ("use", ""),
    "BillingProfile.CreditBalanceUsed": ("use", "invoice_id"),
    "Invoice.MovedToCreditBalance": ("move", ""),
    "BillingProfile.CreditBalanceIncreased": ("move", "invoice_id"),
    "Invoice.CollectionStarted": ("collect", "payment_id"),
    "Payment.PaymentRequested": ("collect", ""),
    "Payment.PaymentTriedAgain": ("collect", ""),
    "Invoice.RefundCounted": ("refund", "refund_id"),
    "Payment.RefundRequested": ("refund", "refund_id"),
    "Invoice.RefundReversed": ("reverse", "refund_id"),
    "Payment.RefundFailed": ("reverse", "refund_id"),
    "Invoice.PaymentDisputed": ("dispute", "dispute_id"),
    "Payment.PaymentDisputed": ("dispute", "dispute_id"),
    "Invoice.DisputeClosed": ("close", "dispute_id"),
    "Payment.DisputeClosed": ("close", "dispute_id"),
}


def as_it_came_about(save: Sequence[Told]) -> Iterator[list[Told]]:
    """The events in their order; those that were told together come together."""
    queues: dict[UUID, deque[Told]] = {}
    sharing: dict[Pair, dict[UUID, int]] = {}  # who has events of a pair, and how many still
    for told in save:
        queues.setdefault(told.id, deque()).append(told)
        if pair := pair_of(told):
            sharing.setdefault(pair, {}).setdefault(told.id, 0)
            sharing[pair][told.id] += 1
    waiting = deque(queues)
    while waiting or any(queues.values()):
        # No history that we told gets stuck; one that was changed is read on all the same.
        stuck = not waiting
        one = next(found for found in queues if queues[found]) if stuck else waiting.popleft()
        while queue := queues[one]:
            pair = pair_of(queue[0])
            ids = list(sharing[pair]) if pair and not stuck else [one]
            heads = [queues[other][0] for other in ids if queues[other]]
            if any(pair_of(head) != pair for head in heads):
                break
            for head in heads:
                queues[head.id].popleft()
                taken_from(sharing, head)
            yield sorted(heads, key=who_knows)
            waiting.extend(other for other in ids if other != one)
            stuck = False


def pair_of(told: Told) -> Pair | None:
    """What the event shares with those of other aggregates that were told at the same moment."""
    if pair := PAIRS.get(told.kind):
        return pair[0], told.facts[pair[1]] if pair[1] else told.id
    return None


def taken_from(sharing: dict[Pair, dict[UUID, int]], told: Told) -> None:
    if pair := pair_of(told):
        sharing[pair][told.id] -= 1
        if not sharing[pair][told.id]:
            del sharing[pair][told.id]


def who_knows(told: Told) -> bool:
    """Invoices first, for they say what goes back; of a dispute the payment, for only the bank knows."""
    first = "Payment." if told.kind.endswith(".PaymentDisputed") else "Invoice."
    return not told.kind.startswith(first)
