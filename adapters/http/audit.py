"""Audit: what happened to a thing, and what it was at any moment."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response

from adapters.erased_facts import history_marked, state_marked
from adapters.http.answers import Page, shown
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.http.moments import At, Effective, as_of
from adapters.http.pages import Cursor, Limit
from adapters.replay import state_as_of
from projections.audit.replay import HistoryEntry, StateAt, history
from services.read_as_of import ReadAsOf
from services.read_history import ReadHistoryPage, read_history_page

routes = APIRouter(prefix=ORGANIZATION, tags=["audit"])

AggregateId = Annotated[
    UUID, Path(description="A subscription, pool, member, card, profile, payment or invoice, or the organization.")
]


@routes.get(
    "/history/{aggregate_id}",
    operation_id="read_history",
    summary="Read the history of a thing",
    response_model=Page[HistoryEntry],
)
def read(call: AuditorReads, aggregate_id: AggregateId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What happened, by whom, because of which command, and when; a subscription's history includes its licenses.

    People are ids: names do not stand in history. The catalog's is read by operators, as organization `catalog`.
    """
    question = ("history", aggregate_id)
    place: tuple[Any, ...] = tuple(call.place(cursor, of=question) or ())
    query = call.wish(ReadHistoryPage, aggregate_id=aggregate_id, after=place, limit=limit)
    page = read_history_page(call.house.ledger, query)
    following = call.cursor(*page.following, of=question) if page.following else None
    told = list(history(page.events, call.house.mapper))
    items = history_marked(call.house.directory, query.organization_id, told)
    return shown(Page[HistoryEntry](items=items, next=following))


@routes.get(
    "/state/{aggregate_id}",
    operation_id="show_state_at",
    summary="Show a thing as it was at a moment",
    response_model=StateAt,
)
def show_state(call: AuditorReads, aggregate_id: AggregateId, at: At = None, effective: Effective = None) -> Response:
    """As it was known by a position or a time of recording (`at`), as it was by a business time (`effective`), or both.

    What a late run records shows by `effective` from the day on which it was due, by `at` from when it was recorded.
    """
    query = call.wish(ReadAsOf, aggregate_id=aggregate_id, as_of=as_of(at, effective))
    state = state_as_of(call.house.ledger, query, call.house.mapper)
    return shown(state_marked(call.house.directory, query.organization_id, state))
