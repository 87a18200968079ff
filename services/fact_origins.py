"""Where personal facts came into history, and how long the documents on which they stand keep them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.personal import ErasedFact, KeptFact
from domain.retention import Standing, kept_until, standing_facts
from services.ledger import Ledger
from services.ports_privacy import StoredFact

BILLED = {"bill_to_name", "bill_to_address", "tax_id"}


class Sorted(NamedTuple):
    """What may go, what must stay, and the profiles on whose documents that rests."""

    erasable: list[ErasedFact]
    kept: list[KeptFact]
    profiles: list[BillingProfile]


def origins_of(ledger: Ledger, organization_id: UUID, facts: Sequence[StoredFact]) -> Mapping[UUID, RecordedEvent]:
    """The event that told of each fact. The save that brought a fact ended where the fact says."""
    brought: dict[int, dict[bytes, UUID]] = {}
    for fact, last in facts:
        brought.setdefault(last, {})[str(fact.fact_id).encode()] = fact.fact_id
    found: dict[UUID, RecordedEvent] = {}
    for last, ids in brought.items():
        (ending,) = ledger.history.told(organization_id, after=last - 1, until=last)
        for event in ledger.history.told(organization_id, after=last - ending.envelope.count, until=last):
            for text, fact_id in ids.items():
                if text in event.state:
                    found.setdefault(fact_id, event)
    return found


def sort_by_retention(
    ledger: Ledger, organization_id: UUID, facts: Sequence[StoredFact], *, today: date, keep_years: int
) -> Sorted:
    """A fact stays until its own day, and until that of the youngest document that it stands on."""
    billed = [stored for stored in facts if stored.fact.purpose in BILLED]
    origins = origins_of(ledger, organization_id, billed)
    profile_ids = dict.fromkeys(event.originator_id for event in origins.values())
    profiles = [ledger.billing_profile(organization_id, one) for one in profile_ids]
    standing: dict[UUID, Standing] = {}
    for profile in profiles:
        standing |= standing_facts(dated(ledger, ledger.history.load_events(organization_id, profile.id)))
    erasable, kept = [], []
    for stored in facts:
        fact, document = stored.fact, standing.get(stored.fact.fact_id)
        until = kept_until(document.issued_on, keep_years) if document else None
        last = max(filter(None, [fact.keep_until, until]), default=None)
        if last is not None and last >= today:
            number = document.number if document else None
            kept.append(KeptFact(fact_id=fact.fact_id, purpose=fact.purpose, keep_until=last, number=number))
        else:
            erasable.append(ErasedFact(fact_id=fact.fact_id, purpose=fact.purpose))
    return Sorted(erasable, kept, profiles)


def dated(ledger: Ledger, events: Iterable[RecordedEvent]) -> Iterator[tuple[object, date]]:
    """The events with the days on which they were decided."""
    for event in events:
        yield ledger.mapper.to_domain_event(event), utc_date(event.envelope.occurred_at)
