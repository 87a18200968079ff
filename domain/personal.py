"""Personal facts: history holds a commitment, the erasable value lives beside it."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.kernel import Value

Purpose = Literal[
    "user_name",
    "display_name",
    "first_name",
    "last_name",
    "job_title",
    "department",
    "feedback",
    "card_holder",
    "card_address",
    "bill_to_name",
    "bill_to_address",
    "tax_id",
]

ErasureReason = Literal[
    "asked_by_subject",
    "no_longer_needed",
    "consent_withdrawn",
    "objected",
    "unlawfully_processed",
    "legal_obligation",
]  # a code, for a text that people write may name somebody

TAG = b"seatledger.fact.1"


class FactRef(Value):
    """What an event keeps of a personal fact: its id and a salted commitment to its value."""

    fact_id: UUID
    commitment: str = Field(pattern="^[0-9a-f]{64}$")


class ErasedFact(Value):
    """What an event keeps of a personal fact that was erased."""

    fact_id: UUID
    purpose: Purpose


class KeptFact(ErasedFact):
    """A personal fact that must stay for now: until the end of this day, and for which document."""

    keep_until: date
    number: str | None  # of the youngest invoice or credit note that it stands on


class PersonalFact(Value):
    """A value that can be forgotten: one row in an erasable table, written in the same transaction as its event.

    `salt` is 32 random bytes in hex, from outside; `subject_id` is the member whom the value is about.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    fact_id: UUID
    subject_id: UUID
    purpose: Purpose
    value: str = Field(repr=False)  # neither may reach a log
    salt: str = Field(pattern="^[0-9a-f]{64}$", repr=False)
    keep_until: date | None = None

    @property
    def ref(self) -> FactRef:
        """What the event keeps of it."""
        commitment = commitment_of(fact_id=self.fact_id, salt=bytes.fromhex(self.salt), value=self.value)
        return FactRef(fact_id=self.fact_id, commitment=commitment)


def commitment_of(*, fact_id: UUID, salt: bytes, value: str) -> str:
    """Binds to a value without telling it: sha256 in hex over tag, salt, fact id and the value in UTF-8."""
    return sha256(TAG + salt + fact_id.bytes + value.encode()).hexdigest()


def refs_within(payload: Any, field: str = "") -> Iterator[tuple[str, FactRef]]:
    """The references to personal facts anywhere in an event's payload, each with the field that it stands in."""
    if isinstance(payload, dict):
        if payload.keys() == FactRef.model_fields.keys():
            yield field, FactRef.model_validate(payload)
            return
        for name, value in payload.items():
            yield from refs_within(value, f"{field}.{name}".lstrip("."))
    elif isinstance(payload, list):
        for value in payload:
            yield from refs_within(value, field)
