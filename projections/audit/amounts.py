"""Amounts: the sums of money that history tells, taken out of it, so that whoever derives them again cannot look."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper

PREFIX = "seatledger."
UNIT = "_minor"

# What tells of money, or of what money rests on; everything else is passed over unread.
TELLING = (
    "Invoice.",
    "Payment.",
    "BillingProfile.CreditBalance",
    "Subscription.SubscriptionPurchased",
    "Subscription.SubscriptionRenewed",
    "Subscription.CancellationScheduled",
    "LicensePool.LicensePoolOpened",
    "LicensePool.LicensesResized",
)

# Prices come from the catalog, which is another history; how much a bank takes back, it alone decides.
GIVEN = {
    "Subscription.SubscriptionPurchased": ("price.unit_price_minor",),
    "Subscription.SubscriptionRenewed": ("price.unit_price_minor",),
    "Payment.PaymentRequested": ("intent.price.unit_price_minor",),
    "Payment.PaymentTriedAgain": ("intent.price.unit_price_minor",),
    "Payment.PaymentDisputed": ("amount_minor",),
}


class Told(NamedTuple):
    """An event without its amounts."""

    seq: int  # in the organization
    kind: str  # like Invoice.InvoiceIssued
    id: UUID
    facts: dict[str, Any]
    occurred_at: str


class Read(NamedTuple):
    """An event without its amounts, and the amounts, each by the path to it; `told` None: it tells of no money."""

    told: Told | None
    amounts: dict[str, int]
    ends_save: bool


def read(event: RecordedEvent, mapper: PydanticMapper) -> Read:
    """Takes the amounts out of an event; raises what a damaged one raises."""
    envelope = from_json(event.metadata)
    ends_save = envelope["index"] + 1 == envelope["count"]
    kind = event.topic.removeprefix(PREFIX)
    if not kind.startswith(TELLING):
        return Read(None, {}, ends_save)
    facts = mapper.to_domain_event(event).model_dump(exclude=mapper.ENVELOPE | {"originator_topic"})
    amounts = dict(taken_out(facts, GIVEN.get(kind, ())))
    return Read(
        Told(event.organization_seq, kind, event.originator_id, facts, envelope["occurred_at"]), amounts, ends_save
    )


def without_amounts(events: Iterable[RecordedEvent], mapper: PydanticMapper) -> Iterator[Told]:
    """What tells of money, without a sum of money in it but those that come from elsewhere."""
    for event in events:
        if told := read(event, mapper).told:
            yield told


def taken_out(facts: Any, given: Iterable[str], path: str = "") -> Iterator[tuple[str, int]]:
    """Every amount below here by its path, and takes it out, unless it is given."""
    if isinstance(facts, dict):
        for name in list(facts):
            here = f"{path}.{name}" if path else name
            if UNIT in name:
                yield here, facts[name]
                if here not in given:
                    del facts[name]
            else:
                yield from taken_out(facts[name], given, here)
    elif isinstance(facts, list | tuple):
        for place, part in enumerate(facts):
            yield from taken_out(part, given, f"{path}[{place}]")
