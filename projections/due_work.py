"""Due work: what falls due and when. It proposes; the aggregate decides."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent
from domain.member import Member
from domain.subscription import Subscription
from projections.projection import Projection, Rows, Table, Touch

# term_end: a subscription renews or expires. scheduled_change: its scheduled total takes effect.
# release_licenses: a removed member may still hold licenses; the query leaves out those who hold none.
Kind = Literal["term_end", "scheduled_change", "release_licenses"]


class DueWorkRow(NamedTuple):
    """One thing to do about one subject, from a day on."""

    organization_id: UUID
    kind: Kind
    subject_id: UUID  # a subscription, or for release_licenses a member
    due_on: date
    position: int  # of the event that made it due


DUE_WORK: Table[DueWorkRow] = Table(
    name="due_work",
    row=DueWorkRow,
    key=("organization_id", "kind", "subject_id"),
    indexes=(("due_on", "organization_id", "kind", "subject_id"),),
)


class DueWork(Projection):
    """A row for each thing that will be due, until it is settled."""

    name = "due_work"
    version = 1
    tables = (DUE_WORK,)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        Subscription.SubscriptionPurchased,
        Subscription.LicenseChangeScheduled,
        Subscription.LicenseChangeWithdrawn,
        Subscription.SubscriptionCancelled,
        Member.MemberRemoved,
        Member.MemberRestored,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        if not isinstance(event, Subscription.SubscriptionPurchased):
            yield DUE_WORK, key_of(recorded, event)

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        key = key_of(recorded, event)
        match event:
            case Subscription.SubscriptionPurchased():
                rows.put(DUE_WORK, DueWorkRow(*key, event.term.end, recorded.position))
            case Subscription.LicenseChangeScheduled():
                rows.put(DUE_WORK, DueWorkRow(*key, event.takes_effect_on, recorded.position))
            case Member.MemberRemoved():
                rows.put(DUE_WORK, DueWorkRow(*key, utc_date(recorded.envelope.effective_at), recorded.position))
            case _:
                rows.delete(DUE_WORK, key)


KINDS: dict[type[AggregateEvent], Kind] = {
    Subscription.SubscriptionPurchased: "term_end",
    Subscription.SubscriptionCancelled: "term_end",
    Subscription.LicenseChangeScheduled: "scheduled_change",
    Subscription.LicenseChangeWithdrawn: "scheduled_change",
    Member.MemberRemoved: "release_licenses",
    Member.MemberRestored: "release_licenses",
}


def key_of(recorded: RecordedEvent, event: AggregateEvent) -> tuple[UUID, Kind, UUID]:
    """The work that an event makes due or settles."""
    return recorded.organization_id, KINDS[type(event)], event.originator_id
