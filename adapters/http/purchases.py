"""Purchases: everybody's view of their own, and the admins' read-only view of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from adapters.documents.purchases_csv import Line, csv_of, line_of
from adapters.http.answers import Page, listed, shown
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, AdminReads, PurchaserReads, SubscriptionId
from adapters.http.events import CloudEvent, cloud_event
from adapters.http.pages import Cursor, Limit
from adapters.http.people import Person, person
from adapters.http.tags import tag_of
from adapters.http.words import Day
from domain.personal import Purpose
from domain.subscription import Channel, LifeState
from services.list_assignments import ListAssignments, list_assignments
from services.list_orders import ListOrders, list_orders
from services.list_purchases import ListPurchases, list_purchases
from services.name_members import name_members
from services.ports_reads import PurchaseCursor, PurchaseFilter, PurchasePage, PurchaseRow
from services.show_purchase import ShowPurchase, purchase_seen

routes = APIRouter(prefix=ORGANIZATION, tags=["purchases"])


class Purchase(PurchaseRow):
    """A subscription with the name of its purchaser; none where it was erased or the caller may not know it."""

    purchaser: Person


class HeldLicense(BaseModel):
    """A license that a member holds, or held on the asked day."""

    member: Person
    assigned_at: datetime
    unassigned_at: datetime | None = None
    end_reason: str | None = None


async def purchase_filter(
    *,
    ownerless: bool | None = None,
    channel: Channel | None = None,
    product_id: Annotated[str | None, Query(max_length=256)] = None,
    purchaser_id: UUID | None = None,
    state: LifeState | None = None,
    ends_before: Annotated[Day | None, Query(description="Expires before this day.")] = None,
) -> PurchaseFilter:
    """What is not set filters nothing."""
    return PurchaseFilter(
        ownerless=ownerless,
        channel=channel,
        product_id=product_id,
        purchaser_id=purchaser_id,
        state=state,
        ends_before=ends_before,
    )


Filter = Annotated[PurchaseFilter, Depends(purchase_filter)]


@routes.get("/subscriptions", operation_id="list_purchases", summary="List purchases", response_model=Page[Purchase])
def list_all(
    call: PurchaserReads,
    where: Filter,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """A purchaser sees their own; an admin, auditor or operator those of everybody (`Seatledger-Role: admin`)."""
    question = ("purchases", where.model_dump_json())
    place = call.place(cursor, of=question)
    after = PurchaseCursor(datetime.fromisoformat(place[0]), UUID(place[1])) if place else None
    query = call.wish(ListPurchases, where=where, limit=limit, after=after)
    page = list_purchases(call.house.ledger, call.house.views, query)
    names = name_members(call.directory, query, [row.purchaser_id for row in page.rows])
    following = None
    if page.following:
        following = call.cursor(
            page.following.purchased_at.isoformat(), str(page.following.subscription_id), of=question
        )
    return listed([named(row, names) for row in page.rows], following)


def named(row: PurchaseRow, names: Mapping[UUID, Mapping[Purpose, str]]) -> dict[str, Any]:
    """The fields of a `Purchase`."""
    return {**row.__dict__, "purchaser": person(row.purchaser_id, names)}


CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A header and a line for each."}
}


@routes.get(
    "/purchases.csv",
    operation_id="export_purchases",
    summary="Export purchases as CSV",
    response_class=Response,
    responses=CSV,
)
def export(
    call: AdminReads,
    where: Filter,
) -> StreamingResponse:
    """The admins' view for a spreadsheet, with everybody who holds a license; as many as there are."""
    query = call.wish(ListPurchases, where=where)
    first = list_purchases(call.house.ledger, call.house.views, query)  # what is refused is refused before the header
    lines = csv_of(lines_of(call, query, first))
    headers = {"Content-Disposition": 'attachment; filename="purchases.csv"'}
    return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")


def lines_of(call: Call, query: ListPurchases, page: PurchasePage) -> Iterator[Line]:
    """All purchases, a page at a time."""
    views, directory = call.house.views, call.directory
    while True:
        for row in page.rows:
            asked = call.wish(ShowPurchase, subscription_id=row.subscription_id, at_least=row.last_position)
            yield line_of(row, asked, views, directory)
        if page.following is None:
            return
        page = list_purchases(call.house.ledger, views, query.model_copy(update={"after": page.following}))


@routes.get(
    "/subscriptions/{subscription_id}",
    operation_id="show_purchase",
    summary="Show one purchase",
    response_model=Purchase,
)
def show(call: PurchaserReads, subscription_id: SubscriptionId) -> Response:
    """Its facts. Its ETag is for changes of it and of its licenses."""
    query = call.wish(ShowPurchase, subscription_id=subscription_id)
    row = purchase_seen(call.house.ledger, call.house.views, query)
    names = name_members(call.directory, query, [row.purchaser_id])
    return shown(Purchase.model_construct(**named(row, names)), tag=tag_of(row.subscription_version, row.pool_version))


@routes.get(
    "/subscriptions/{subscription_id}/assignments",
    operation_id="list_assignments",
    summary="List who holds a license",
    response_model=Page[HeldLicense],
)
def list_held(
    call: PurchaserReads,
    subscription_id: SubscriptionId,
    *,
    on: Annotated[Day | None, Query(description="Who held one at any time of this UTC day, instead of now.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Oldest assignment first."""
    question = ("assignments", subscription_id, on)
    place = call.place(cursor, of=question)
    query = call.wish(
        ListAssignments, subscription_id=subscription_id, on=on, after_seq=place[0] if place else 0, limit=limit
    )
    rows = list_assignments(call.house.ledger, call.house.views, query)
    names = name_members(call.directory, query, [row.member_id for row in rows])
    items = [
        HeldLicense(
            member=person(row.member_id, names),
            assigned_at=row.assigned_at,
            unassigned_at=row.unassigned_at,
            end_reason=row.end_reason,
        )
        for row in rows
    ]
    following = call.cursor(rows[-1].assigned_seq, of=question) if len(rows) == limit else None
    return shown(Page[HeldLicense](items=items, next=following))


@routes.get(
    "/subscriptions/{subscription_id}/orders",
    operation_id="list_orders",
    summary="List a purchase's order history",
    response_model=Page[CloudEvent],
)
def list_ordered(
    call: PurchaserReads, subscription_id: SubscriptionId, *, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """How it came to be what it is: what happened to it and to its licenses, oldest first, without assignments."""
    question = ("orders", subscription_id)
    place = call.place(cursor, of=question)
    query = call.wish(ListOrders, subscription_id=subscription_id, limit=limit, after=tuple(place or ()))
    page = list_orders(call.house.ledger, call.house.views, query)
    events = [cloud_event(event, call.house.source) for event in page.events]
    following = call.cursor(*page.following, of=question) if page.following else None
    return shown(Page[CloudEvent](items=events, next=following))
