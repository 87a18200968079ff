"""Read facts: what personal facts a thing's history refers to, and what of them may be told."""

from uuid import UUID

from pydantic import Field
from pydantic_core import from_json

from domain.kernel import Value
from domain.personal import FactRef, refs_within
from services.bill_to_shown import ERASED
from services.ledger import Ledger
from services.open_to_auditor import WITHHELD, OpenToAuditor
from services.ports import Directory
from services.read_history import ReadHistory, read_stream


class FactRead(Value):
    """A personal fact where history refers to it; `value` may be `[erased]` or `[withheld]`."""

    fact_id: UUID
    field: str  # of the event
    value: str = Field(repr=False)
    event: str
    version: int
    position: int
    commitment: str


def read_facts(ledger: Ledger, directory: Directory, query: ReadHistory) -> list[FactRead]:
    """In the order in which they were told: to an auditor what a grant opens, to others none of the values."""
    referring: list[tuple[str, FactRef, int]] = []
    events = read_stream(ledger, query)
    for number, event in enumerate(events):
        referring += [(field, ref, number) for field, ref in refs_within(from_json(event.state))]
    ids = list(dict.fromkeys(ref.fact_id for _, ref, _ in referring))
    known = directory.facts(query.organization_id, ids)
    if not isinstance(directory, OpenToAuditor):
        known = dict.fromkeys(known, WITHHELD)
    return [
        FactRead(
            fact_id=ref.fact_id,
            field=field,
            value=known.get(ref.fact_id, ERASED),
            event=events[number].topic.removeprefix("seatledger."),
            version=events[number].originator_version,
            position=events[number].position,
            commitment=ref.commitment,
        )
        for field, ref, number in referring
    ]
