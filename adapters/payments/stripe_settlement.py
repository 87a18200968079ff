"""What Stripe settled: its balance transactions, in the currency that the payer was charged in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

import stripe

from adapters.payments.stripe_wire import from_wire, metadata_of
from services.ports_payments import SettlementRow

_KINDS: dict[str, Literal["capture", "refund", "refund_reversal", "dispute", "dispute_reversal"]] = {
    "charge": "capture",
    "refund": "refund",
    "refund_failure": "refund_reversal",
    "dispute": "dispute",
    "dispute_reversal": "dispute_reversal",
}


def settled(client: stripe.StripeClient, since: date, until: date) -> list[SettlementRow]:
    """The movements of our payments on these days (UTC), oldest first; others' and fees are left out."""
    first, end = (datetime.combine(day, time(), UTC) for day in (since, until + timedelta(days=1)))
    listed = client.v1.balance_transactions.list(
        {
            "created": {"gte": int(first.timestamp()), "lt": int(end.timestamp())},
            "limit": 100,
            "expand": ["data.source"],
        }
    )
    return list(_rows(client, listed.auto_paging_iter()))[::-1]


def _rows(client: stripe.StripeClient, movements: Iterator[stripe.BalanceTransaction]) -> Iterator[SettlementRow]:
    for movement in movements:
        kind, source = _KINDS.get(movement.reporting_category), movement.source
        if kind is None or source is None:
            continue
        facts = _facts(client, source)
        if "payment_id" not in facts:
            continue
        yield SettlementRow(
            datetime.fromtimestamp(movement.created, UTC).date(),
            kind,
            UUID(facts["payment_id"]),
            int(facts["attempt"]),
            UUID(facts["refund_id"]) if "refund_id" in facts else None,
            movement.id,
            _amount(source),
            str(getattr(source, "currency", movement.currency)).upper(),
        )


def _facts(client: stripe.StripeClient, source: Any) -> dict[str, str]:
    """What we told Stripe of a movement; a dispute knows only its charge, which has the payment's metadata."""
    if source.object == "dispute":
        return metadata_of(client.v1.charges.retrieve(source.charge))
    return metadata_of(source)


def _amount(source: Any) -> int:
    """The movement in the payer's currency; Stripe's own amount is in that of our account."""
    taken = source.amount_captured if source.object == "charge" else source.amount
    return from_wire(abs(taken), source.currency)
