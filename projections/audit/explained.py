"""What an explanation of an invoice says, as values. Amounts are minor units of the invoice's currency."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from domain.envelope import RecordedEvent
from domain.kernel import Value
from projections.audit.arithmetic import Arithmetic


class Cause(Value):
    """An event that something on the invoice came of, and who told it when."""

    event: str
    aggregate_id: UUID
    organization_seq: int
    position: int
    recorded_at: datetime
    effective_at: datetime
    actor_id: UUID
    actor_role: str
    command: str
    command_id: UUID


def cause_of(event: RecordedEvent) -> Cause:
    envelope = event.envelope
    return Cause(
        event=event.topic.removeprefix("seatledger."),
        aggregate_id=event.originator_id,
        organization_seq=event.organization_seq,
        position=event.position,
        recorded_at=event.recorded_time,
        effective_at=envelope.effective_at,
        actor_id=envelope.actor_id,
        actor_role=envelope.actor_role,
        command=envelope.command,
        command_id=envelope.command_id,
    )


class ExplainedLine(Value):
    """A charge."""

    number: int
    kind: str
    subscription_id: UUID
    product_id: str
    product_name: str
    offer_id: UUID
    quantity: int
    unit_price_minor: int
    price_version: int
    price_effective_on: date | None  # none: the catalog does not know the version
    starts_on: date
    ends_on: date
    days: int
    cycle_days: int
    days_in_words: str  # 18 of 28 days
    rule: str
    basis: str
    unit: str
    rounding: str
    arithmetic: Arithmetic
    amount_minor: int  # as it stands on the invoice
    causes: tuple[Cause, ...]


class ExplainedTax(Value):
    """The tax of a document, rounded once."""

    country: str
    name: str
    rate_ppm: int
    arithmetic: Arithmetic
    amount_minor: int


class ExplainedCredit(Value):
    """Licenses taken back from a line."""

    line: int
    product_name: str
    taken: int
    quantity_before: int
    quantity: int  # that stay
    days: int
    cycle_days: int
    unused_days: int  # on the day of the credit
    why: str  # so many days
    arithmetic: Arithmetic
    amount_minor: int


class ExplainedCreditNote(Value):
    credit_note_id: UUID
    number: str
    reason: str
    issued_on: date
    lines: tuple[ExplainedCredit, ...]
    net_minor: int
    tax: ExplainedTax
    total_minor: int
    due_minor: int  # with it; negative: owed to the payer
    causes: tuple[Cause, ...]


class Movement(Value):
    """What was paid, tried, given back or taken back."""

    what: str
    amount_minor: int
    changes_due_by: int
    due_minor: int  # after it
    code: str | None  # why it failed
    payment_id: UUID | None
    refund_id: UUID | None
    dispute_id: str | None
    cause: Cause


class Term(Value):
    """A summand of what is due."""

    what: str
    amount_minor: int


class Explanation(Value):
    """An invoice, from what caused it to what is due on it."""

    invoice_id: UUID
    number: str
    billing_profile_id: UUID
    reason: str
    state: str
    issued_on: date
    due_on: date
    bill_to_country: str
    po_number: str | None
    currency: str
    currency_exponent: int
    cause: Cause
    lines: tuple[ExplainedLine, ...]
    net_minor: int
    tax: ExplainedTax
    total_minor: int
    credit_notes: tuple[ExplainedCreditNote, ...]
    movements: tuple[Movement, ...]
    sums: tuple[Term, ...]  # they add up to what is due
    due_minor: int
    contradictions: tuple[str, ...] = Field(default=())  # where history says another amount than comes out here
