"""Audit as of moments: everything in an organization, its read models, what differs, and what happened in it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from adapters.http.answers import Page, listed, shown
from adapters.http.bad_request import BadRequest
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.http.moments import EITHER, TIME_ALONE, At, Effective, as_of, moment_of
from adapters.http.pages import Cursor, Limit
from adapters.replay import differing, states
from projections.audit.between import Between, between
from projections.audit.read_model_at import read_model_at
from projections.audit.replay import HistoryEntry, StateAt, history
from projections.read_models import READ_MODELS
from services.read_aggregates import ReadAggregates, read_aggregates
from services.read_history import ReadHistory, read_stream
from services.read_organization import ReadOrganization, ReadTimeline, read_organization, read_timeline

routes = APIRouter(prefix=f"{ORGANIZATION}/audit", tags=["audit"])

TABLES = {table.name: projection for projection in READ_MODELS for table in projection.tables}


def moment_said(description: str, pattern: str) -> Any:
    """The parameter of a moment."""
    return Query(max_length=40, description=description, json_schema_extra={"pattern": pattern})


@routes.get(
    "/states",
    operation_id="show_states_at",
    summary="Show a whole organization as of a moment",
    response_model=Page[StateAt],
)
def show_states(
    call: AuditorReads, at: At = None, effective: Effective = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The state of everything in it, in the order of ids. A page leaves out what was not born, so it may be short."""
    moment, question = as_of(at, effective), ("states", at, effective)
    place = call.place(cursor, of=question)
    query = call.wish(ReadAggregates, after=UUID(place[0]) if place else None, limit=limit)
    page = read_aggregates(call.house.ledger, query)
    following = call.cursor(str(page.following), of=question) if page.following else None
    return shown(Page[StateAt](items=list(states(page.streams, call.house.mapper, moment)), next=following))


@routes.get(
    "/read-models/{table}",
    operation_id="show_read_model_at",
    summary="Show a read model as of a moment",
    response_model=Page[dict[str, Any]],
)
def show_read_model(
    call: AuditorReads,
    *,
    table: Annotated[str, Path(description="A table of it.", json_schema_extra={"enum": list(TABLES)})],
    at: At = None,
    effective: Effective = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The rows of one of its tables, by key, folded from the organization's history in memory; each page folds anew."""
    moment, question = as_of(at, effective), ("read model", table, at, effective)
    place = call.place(cursor, of=question)
    if table not in TABLES:
        raise BadRequest("bad_parameter", f"there is no such table; there are {', '.join(TABLES)}", where="table")
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    rows = read_model_at(TABLES[table], events, call.house.mapper, moment)[table]
    start = place[0] if place else 0
    following = call.cursor(start + limit, of=question) if len(rows) > start + limit else None
    return listed([row._asdict() for row in rows[start : start + limit]], following)


@routes.get(
    "/differences",
    operation_id="show_differences",
    summary="Show what differs between two moments",
    response_model=Page[Between],
)
def show_differences(
    call: AuditorReads,
    *,
    since: Annotated[str | None, moment_said("The first moment, as it was known.", EITHER)] = None,
    effective_since: Annotated[str | None, moment_said("The first moment, as it was.", TIME_ALONE)] = None,
    until: Annotated[str | None, moment_said("The second moment, as it was known; without any: now.", EITHER)] = None,
    effective_until: Annotated[str | None, moment_said("The second moment, as it was.", TIME_ALONE)] = None,
    aggregate_id: Annotated[UUID | None, Query(description="Only of this thing.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Field by field, with the events that made it. A page looks at so many things and may have fewer that differ."""
    before = as_of(since, effective_since, names=("since", "effective_since"))
    after = moment_of(until, effective_until, names=("until", "effective_until"))
    question = ("differences", since, effective_since, until, effective_until, aggregate_id)
    place = call.place(cursor, of=question)
    if aggregate_id is not None:
        stream = read_stream(call.house.ledger, call.wish(ReadHistory, aggregate_id=aggregate_id))
        found = between(stream, call.house.mapper, before, after)
        return shown(Page[Between](items=[found] if found else []))
    query = call.wish(ReadAggregates, after=UUID(place[0]) if place else None, limit=limit)
    page = read_aggregates(call.house.ledger, query)
    following = call.cursor(str(page.following), of=question) if page.following else None
    items = list(differing(page.streams, call.house.mapper, before, after))
    return shown(Page[Between](items=items, next=following))


@routes.get(
    "/timeline",
    operation_id="read_timeline",
    summary="Read everything that happened",
    response_model=Page[HistoryEntry],
)
def timeline(call: AuditorReads, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """In order: what, by whom in which role, by which command, why, and what caused it. Of one thing: its history."""
    place = call.place(cursor, of=("timeline",))
    query = call.wish(ReadTimeline, after=place[0] if place else 0, limit=limit)
    page = read_timeline(call.house.ledger, query)
    following = call.cursor(*page.following, of=("timeline",)) if page.following else None
    return shown(Page[HistoryEntry](items=list(history(page.events, call.house.mapper)), next=following))
