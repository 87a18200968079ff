"""Read history: the events of one thing, for those who audit."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from pydantic import Field

from domain.envelope import RecordedEvent
from domain.kernel import Value
from domain.organization import CATALOG
from domain.refusals import NotAllowed, NotFound
from domain.subscription import Subscription
from services.command import Actor
from services.ledger import Ledger
from services.may import HOUSE, Wish, may, standing_seen
from services.ports_reads import PAGE


class ReadHistory(Value):
    organization_id: UUID
    actor: Actor
    aggregate_id: UUID


class ReadHistoryPage(ReadHistory):
    """`after` is where the page before ended: the versions of the thing and, if it is a subscription, of its pool."""

    after: tuple[int, ...] = Field(default=(), max_length=2)
    limit: int = Field(default=PAGE, ge=1, le=PAGE)


class HistoryPage(NamedTuple):
    """Events in the order they were recorded, and where the next page starts; None: there is no more."""

    events: list[RecordedEvent]
    following: tuple[int, ...] | None


def may_audit(ledger: Ledger, query: Wish) -> None:
    """An organization's auditors read its history; the catalog's is the house's own."""
    may(query.actor, "audit")
    if query.organization_id != CATALOG:
        standing_seen(ledger, query)
    elif query.actor.role not in HOUSE:
        raise NotAllowed(action="audit the catalog", remedy="ask an operator")


def read_stream(ledger: Ledger, query: ReadHistory) -> list[RecordedEvent]:
    """The events of one aggregate, oldest first."""
    may_audit(ledger, query)
    if events := ledger.history.load_events(query.organization_id, query.aggregate_id):
        return events
    raise NotFound(what="history of", key=query.aggregate_id)


def read_history(ledger: Ledger, query: ReadHistory) -> list[RecordedEvent]:
    """The events of one aggregate in the order they were recorded; a subscription's with those of its pool."""
    events = read_stream(ledger, query)
    if (found := ledger.find(Subscription, query.organization_id, query.aggregate_id)) is not None:
        events = events + ledger.history.load_events(query.organization_id, found.pool_id)
    return sorted(events, key=lambda event: event.organization_seq)


def read_history_page(ledger: Ledger, query: ReadHistoryPage) -> HistoryPage:
    """The same, a page at a time: what a page costs does not depend on how long the history is."""
    may_audit(ledger, query)
    return page_of(ledger, query, streams_of(ledger, query))


class PageWish(Protocol):
    """A question about the history of some streams, a page at a time."""

    @property
    def organization_id(self) -> UUID: ...

    @property
    def after(self) -> tuple[int, ...]: ...

    @property
    def limit(self) -> int: ...


def page_of(ledger: Ledger, query: PageWish, streams: Sequence[UUID], *, without: Sequence[str] = ()) -> HistoryPage:
    """The next events of these streams; whether the caller may see them is asked before."""
    seen = dict.fromkeys(streams, 0)
    seen |= dict(zip(seen, query.after, strict=False))
    found = ledger.history.load_page(query.organization_id, seen, query.limit + 1, without=without)
    page = found[: query.limit]
    seen |= {event.originator_id: event.originator_version for event in page}
    return HistoryPage(page, tuple(seen.values()) if len(found) > query.limit else None)


def streams_of(ledger: Ledger, query: ReadHistory) -> list[UUID]:
    """The thing itself, and the pool of a subscription; refuses what has no history."""
    born = ledger.history.load_page(query.organization_id, {query.aggregate_id: 0}, 1)
    if not born:
        raise NotFound(what="history of", key=query.aggregate_id)
    if not born[0].topic.startswith(f"{Subscription.TOPIC}."):
        return [query.aggregate_id]
    return [query.aggregate_id, ledger.subscription(query.organization_id, query.aggregate_id).pool_id]
