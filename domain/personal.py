"""Personal facts: history holds a commitment, the erasable value lives beside it."""

from datetime import date
from hashlib import sha256
from typing import Literal
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

TAG = b"seatledger.fact.1"


class FactRef(Value):
    """What an event keeps of a personal fact: its id and a salted commitment to its value."""

    fact_id: UUID
    commitment: str = Field(pattern="^[0-9a-f]{64}$")


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
