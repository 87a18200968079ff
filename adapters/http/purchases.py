"""Purchases: everybody's view of their own, and the admins' read-only view of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from adapters.documents.purchases_csv import Line, csv_of
from adapters.http.answers import Page, listed, shown
from adapters.http.call import Call
from adapters.http.callers import AdminReads, PurchaserReads, SubscriptionId
from adapters.http.events import CloudEvent, cloud_event
from adapters.http.pages import Cursor, Limit
from adapters.http.people import Person, person
from adapters.http.tags import tag_of
from adapters.http.words import Day
from domain.personal import Purpose
from domain.subscription import Channel, LifeState
from services.list_purchases import ListPurchases, list_purchases
from services.name_members import name_members
from services.ports_reads import PurchaseCursor, PurchaseFilter, PurchasePage, PurchaseRow
from services.show_purchase import ShowPurchase, holders, show_purchase

routes = APIRouter(prefix="/v1/organizations/{organization}", tags=["purchases"])


class Purchase(PurchaseRow):
    """A subscription with the name of its purchaser; none where it was erased or the caller may not know it."""

    purchaser: Person


class HeldLicense(BaseModel):
    """A license that a member holds, or held on the asked day."""

    member: Person
    assigned_at: datetime
    unassigned_at: datetime | None = None
    end_reason: str | None = None


class PurchaseInFull(Purchase):
    """A purchase, who holds its licenses, and how it came to be what it is."""

    assignments: list[HeldLicense]
    orders: list[CloudEvent] = Field(description="Its history without assignments, oldest first.")


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
    names = name_members(call.house.directory, query, [row.purchaser_id for row in page.rows])
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
    views, directory = call.house.views, call.house.directory
    while True:
        for row in page.rows:
            asked = call.wish(ShowPurchase, subscription_id=row.subscription_id, at_least=row.last_position)
            held = holders(views, asked, row.subscription_id) if row.licenses_assigned else iter(())
            ids = [one.member_id for one in held]
            yield Line(row, ids, name_members(directory, query, [row.purchaser_id, *ids]))
        if page.following is None:
            return
        page = list_purchases(call.house.ledger, views, query.model_copy(update={"after": page.following}))


@routes.get(
    "/subscriptions/{subscription_id}",
    operation_id="show_purchase",
    summary="Show one purchase",
    response_model=PurchaseInFull,
)
def show(
    call: PurchaserReads,
    subscription_id: SubscriptionId,
    on: Annotated[Day | None, Query(description="Who held a license on this UTC day, instead of now.")] = None,
) -> Response:
    """Its facts, who holds its licenses, and its order history. Its ETag is for changes of it."""
    query = call.wish(ShowPurchase, subscription_id=subscription_id, on=on)
    found = show_purchase(call.house.ledger, call.house.views, query)
    row = found.purchase
    names = name_members(call.house.directory, query, [row.purchaser_id, *(one.member_id for one in found.assignments)])
    orders = [cloud_event(event, call.house.source) for event in found.orders]
    held = [
        HeldLicense(
            member=person(one.member_id, names),
            assigned_at=one.assigned_at,
            unassigned_at=one.unassigned_at,
            end_reason=one.end_reason,
        )
        for one in found.assignments
    ]
    full = PurchaseInFull.model_construct(
        **row.__dict__, purchaser=person(row.purchaser_id, names), assignments=held, orders=orders
    )
    return shown(full, tag=tag_of(row.subscription_version, row.pool_version))
