"""Show a purchase: its facts, who holds a license, and how it came to be what it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import Value
from domain.license_pool import LicensePool
from domain.refusals import NotFound
from services.command import Actor
from services.ledger import Ledger
from services.may import Wish, may, standing_seen
from services.ports_reads import PAGE, AssignmentRow, PurchaseRow, PurchaseViews


class ShowPurchase(Value):
    """With a day: who held a license at any time of that UTC day, instead of who holds one now."""

    organization_id: UUID
    actor: Actor
    subscription_id: UUID
    on: date | None = None
    at_least: int = 0


class PurchaseQuery(Wish, Protocol):
    """A question about one purchase."""

    @property
    def subscription_id(self) -> UUID: ...

    @property
    def at_least(self) -> int: ...


class HoldersWish(Protocol):
    """A question about who holds licenses, or held them on a day."""

    @property
    def organization_id(self) -> UUID: ...

    @property
    def on(self) -> date | None: ...


@dataclass(frozen=True)
class PurchaseInFull:
    purchase: PurchaseRow
    assignments: list[AssignmentRow]
    orders: list[RecordedEvent]  # of the subscription and its pool, without assignments, oldest first


ASSIGNMENTS = (LicensePool.LicenseAssigned.TOPIC, LicensePool.LicenseUnassigned.TOPIC)


def purchase_seen(ledger: Ledger, views: PurchaseViews, query: PurchaseQuery) -> PurchaseRow:
    """The purchase as it stands; somebody else's does not exist for a purchaser."""
    standing_seen(ledger, query)
    may(query.actor, "list purchases")
    row = views.one(query.organization_id, query.subscription_id, at_least=query.at_least)
    if row is None or (query.actor.role == "purchaser" and row.purchaser_id != query.actor.id):
        raise NotFound(what="subscription", key=query.subscription_id)
    return row


def show_purchase(ledger: Ledger, views: PurchaseViews, query: ShowPurchase) -> PurchaseInFull:
    """All of it at once, however much that is."""
    row = purchase_seen(ledger, views, query)
    events = ledger.history.load_many(query.organization_id, [row.subscription_id, row.pool_id])
    orders = [event for event in events if event.topic not in ASSIGNMENTS]
    return PurchaseInFull(
        purchase=row,
        assignments=list(holders(views, query, query.subscription_id)),
        orders=sorted(orders, key=lambda event: event.organization_seq),
    )


def holders(views: PurchaseViews, query: ShowPurchase, subscription_id: UUID) -> Iterator[AssignmentRow]:
    """All assignments, a page at a time."""
    after = 0
    while True:
        page = page_of_holders(views, query, subscription_id, after_seq=after, at_least=query.at_least)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].assigned_seq


def page_of_holders(
    views: PurchaseViews, query: HoldersWish, subscription_id: UUID, *, after_seq: int, at_least: int, limit: int = PAGE
) -> Sequence[AssignmentRow]:
    """The next of those who hold a license now, or held one on the asked day."""
    if query.on is None:
        return views.assigned(
            query.organization_id, subscription_id, after_seq=after_seq, limit=limit, at_least=at_least
        )
    return views.assigned_on(
        query.organization_id, subscription_id, query.on, after_seq=after_seq, limit=limit, at_least=at_least
    )
