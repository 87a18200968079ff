"""What is recorded here of the money that moved, for comparing it with what a provider settles."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

MovementKind = Literal["capture", "refund", "refund_reversal", "dispute", "dispute_reversal"]


class RecordedMovement(NamedTuple):
    """A movement of money as it is recorded here; its day is never before the provider's."""

    organization_id: UUID
    payment_id: UUID
    kind: MovementKind
    attempt: int | None  # of a capture
    refund_id: UUID | None
    amount_minor: int
    currency: str
    recorded_on: date


class MovementViews(Protocol):
    """Recorded movements, over all organizations or of one."""

    def movements(
        self, since: date, until: date, *, organization_id: UUID | None = None, at_least: int = 0
    ) -> Sequence[RecordedMovement]:
        """Those that were recorded on these days, both included."""

    def of_payments(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> Sequence[RecordedMovement]:
        """All that is recorded of these payments."""

    def organizations_of(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> Mapping[UUID, UUID]:
        """Whose these payments are, by payment; unknown ones are left out."""

    def earliest_request(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> date | None:
        """The day on which the first of these payments was requested."""
