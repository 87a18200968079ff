"""Read as of: a thing's history up to a moment, from a milestone in front of it where one is kept."""

from contextlib import suppress
from typing import NamedTuple

from eventsourcing.utils import TopicError, resolve_topic

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import Aggregate
from domain.refusals import NotFound
from services.ledger import Ledger, snapshot_of
from services.read_history import ReadHistory, may_audit

MILESTONE_EVERY = 250  # versions; who folds so many on the way to a moment leaves one there


class ReadAsOf(ReadHistory):
    """Of one aggregate."""

    as_of: AsOf


class Past(NamedTuple):
    """What an aggregate was at a version up to which everything counts, the event of it, and what may count after it.

    Without a start, all events that may count.
    """

    start: Aggregate | None
    events: list[RecordedEvent]  # oldest first


def read_as_of(ledger: Ledger, query: ReadAsOf) -> Past:
    """Trusts a milestone as a load trusts a snapshot: what cannot be used is passed over."""
    may_audit(ledger, query)
    return past_of(ledger, query)


def past_of(ledger: Ledger, query: ReadAsOf) -> Past:
    """The same, for who was asked already."""
    organization_id, one = query.organization_id, query.aggregate_id
    milestone, events = ledger.history.load_as_of(organization_id, one, query.as_of)
    start: Aggregate | None = None
    if milestone is not None:
        with suppress(TopicError):
            start = ledger.thawed(resolve_topic(milestone.topic), one, milestone)
    if milestone is not None and start is None:
        every = ledger.history.load_events(organization_id, one)
        events = [event for event in every if query.as_of.knows(event)]
    if start is None and not events:
        raise NotFound(what="history, as of then, of", key=one)
    return Past(start, events)


def leave_milestone(ledger: Ledger, aggregate: Aggregate, recorded: RecordedEvent) -> None:
    """Keeps what an aggregate was when an event was told, every now and then: a start for the next question."""
    if recorded.originator_version % MILESTONE_EVERY == 0:
        aggregate.occurred_at = recorded.envelope.occurred_at
        ledger.history.keep_milestone(recorded.organization_id, aggregate.id, snapshot_of(aggregate))
