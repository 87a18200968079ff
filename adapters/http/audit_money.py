"""Audit of money: who held what and who paid for it, control totals, amounts derived again, and re-rated invoices."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from adapters.documents.totals_csv import csv_of
from adapters.http.answers import shown
from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, AuditorReads
from adapters.http.purchases import CSV
from adapters.http.words import Day
from adapters.payments.limits import limits_of
from projections.audit.derived import DerivedHistory, derived_history
from projections.audit.held import HeldOn
from projections.audit.held_on import held_on
from projections.audit.rerate import Rerating, rerate
from projections.audit.rerating_rules import RatingRule, rule_named
from projections.audit.totals import Totals, totals
from services.read_organization import ReadOrganization, read_organization

routes = APIRouter(prefix=f"{ORGANIZATION}/audit", tags=["audit"])

Since = Annotated[Day | None, Query(description="From this UTC day on, which is included.")]
Until = Annotated[Day | None, Query(description="Up to this UTC day, which is included.")]
PRICE = re.compile(r"([^=]{1,256})=([0-9]{1,15})", re.ASCII)


class Held(BaseModel):
    """Every subscription that had licenses on the day."""

    items: list[HeldOn]


@routes.get(
    "/held", operation_id="show_held_on", summary="Who held which license on a day, and who paid", response_model=Held
)
def show_held(
    call: AuditorReads,
    on: Annotated[Day, Query(description="The UTC day.")],
    subscription_id: Annotated[UUID | None, Query(description="Only of this subscription.")] = None,
) -> Response:
    """From history alone: holders, the invoice lines that cover the day, and what those invoices were paid by."""
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    return shown(Held(items=held_on(events, call.house.mapper, on, subscription_id)))


@routes.get("/totals", operation_id="show_totals", summary="Show control totals", response_model=Totals)
def show_totals(call: AuditorReads, since: Since = None, until: Until = None) -> Response:
    """By day, billing profile and currency: what was due, what moved, and what is due then. Contradictions: none."""
    return shown(totals_of(call, since, until))


@routes.get(
    "/totals.csv",
    operation_id="export_totals",
    summary="Export control totals as CSV",
    response_class=Response,
    responses=CSV,
)
def export_totals(call: AuditorReads, since: Since = None, until: Until = None) -> StreamingResponse:
    """The same for a spreadsheet, in decimals of the currency."""
    headers = {"Content-Disposition": 'attachment; filename="totals.csv"'}
    lines = csv_of(totals_of(call, since, until).days)
    return StreamingResponse(lines, headers=headers, media_type="text/csv; charset=utf-8")


def totals_of(call: Call, since: Day | None, until: Day | None) -> Totals:
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    return totals(events, call.house.mapper, since=since, until=until)


@routes.get(
    "/derived-invoices",
    operation_id="derive_invoices",
    summary="Derive all invoices again",
    response_model=DerivedHistory,
)
def derive(call: AuditorReads) -> Response:
    """From events without their amounts, compared invoice by invoice."""
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    return shown(derived_history(events, limits_of, call.house.mapper))


@routes.get("/rerated-invoices", operation_id="rerate_invoices", summary="Re-rate invoices", response_model=Rerating)
def show_rerated(
    call: AuditorReads,
    *,
    rule: Annotated[
        str | None,
        Query(
            max_length=100,
            description="A rule that lines name, or its basis and rounding: `days of the cycle, half even`.",
        ),
    ] = None,
    price: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": f"^{PRICE.pattern}$"})]] | None,
        Query(
            max_length=50,
            description="A corrected price of a license for a cycle, by offer or product: `CFQ7TTC0H9MP=1399`.",
        ),
    ] = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """What they would have charged by another rule or at corrected prices, line by line. It changes nothing."""
    if rule is None and not price:
        raise BadRequest("bad_parameter", "say another rule or a corrected price, or both", where="rule")
    named = named_rule(rule) if rule is not None else None
    prices = dict(price_of(one) for one in price or ())
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    return shown(rerate(events, call.house.mapper, rule=named, prices=prices, since=since, until=until))


def named_rule(words: str) -> RatingRule:
    try:
        return rule_named(words)
    except ValueError as error:
        raise BadRequest("bad_parameter", f"this {error}", where="rule") from None


def price_of(text: str) -> tuple[str, int]:
    if (said := PRICE.fullmatch(text)) is None:
        raise BadRequest("bad_parameter", "send a price like CFQ7TTC0H9MP=1399, in minor units", where="price")
    return said[1], int(said[2])
