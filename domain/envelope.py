"""What the ledger knows about an event besides its content: who, why, when, and its place in history."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from pydantic import AwareDatetime
from pydantic_core import from_json

from domain.kernel import Value

Role = Literal["purchaser", "admin", "billing_reader", "auditor", "operator", "service"]


class Envelope(Value):
    """Stamped once by the ledger on each event of a save; stored as bytes under the chain."""

    actor_id: UUID  # pseudonymous
    actor_role: Role
    on_behalf_of: UUID | None
    command: str
    command_id: UUID
    step: str
    index: int  # of this event in its save, from 0
    count: int  # events of the save
    correlation_id: UUID
    causation_id: UUID | None
    occurred_at: AwareDatetime  # when it was decided; never decreases within an aggregate
    effective_at: AwareDatetime  # when it takes effect


@dataclass(frozen=True)
class RecordedEvent(StoredEvent):
    """A stored event with its place in history; `metadata` are the exact bytes of its `Envelope`."""

    originator_id: UUID
    organization_id: UUID
    organization_seq: int  # 1, 2, 3, … without a gap
    position: int  # rising over all organizations, with gaps; opaque
    recorded_at: int  # microseconds since 1970, by the database's clock
    metadata: bytes
    chain_hash: bytes

    @property
    def recorded_time(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.recorded_at)

    @property
    def effective_at(self) -> datetime:
        """That of the envelope; reading all of it takes ten times as long."""
        return datetime.fromisoformat(from_json(self.metadata)["effective_at"])

    @property
    def envelope(self) -> Envelope:
        return Envelope.model_validate_json(self.metadata)
