"""Audit: what happened to a thing, and what it was at any moment."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from starlette.responses import Response

from adapters.http.answers import Page, shown
from adapters.http.bad_request import BadRequest
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.http.pages import Cursor, Limit
from domain.refusals import NotFound
from projections.audit.replay import HistoryEntry, StateAt, history, state_at
from services.read_history import ReadHistory, ReadHistoryPage, read_history_page, read_stream

routes = APIRouter(prefix=ORGANIZATION, tags=["audit"])

AggregateId = Annotated[
    UUID, Path(description="A subscription, pool, member, card, profile, payment or invoice, or the organization.")
]
POSITION = re.compile(r"[0-9]{1,18}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


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
    return shown(Page[HistoryEntry](items=list(history(page.events, call.house.mapper)), next=following))


@routes.get(
    "/state/{aggregate_id}",
    operation_id="show_state_at",
    summary="Show a thing as it was at a moment",
    response_model=StateAt,
)
def show_state(
    call: AuditorReads,
    aggregate_id: AggregateId,
    at: Annotated[
        str,
        Query(
            max_length=40,
            description="A position of history, or a time such as 2025-08-01T14:30Z.",
            json_schema_extra={"pattern": f"^({POSITION.pattern}|{MOMENT.pattern})$"},
        ),
    ],
) -> Response:
    """By its history up to that position, or up to what was recorded by that time."""
    when = position_or_time(at)
    query = call.wish(ReadHistory, aggregate_id=aggregate_id)
    found = state_at(read_stream(call.house.ledger, query), call.house.mapper, when)
    if found is None:
        raise NotFound(what="trace of it before", key=when)
    return shown(found)


def position_or_time(text: str) -> int | datetime:
    if POSITION.fullmatch(text):
        return int(text)
    try:
        if MOMENT.fullmatch(text):
            return TIME.validate_python(text)
    except ValidationError:
        pass
    raise BadRequest("bad_parameter", "send a position, or a time with its zone: 2025-08-01T14:30:00Z", where="at")
