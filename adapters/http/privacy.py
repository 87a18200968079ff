"""Privacy: forget a person, export what is known of one, and who may read it beside those who work with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.audit import AggregateId
from adapters.http.callers import ORGANIZATION, AdminDoes, AdminReads, AuditorDoes, AuditorReads
from adapters.http.members import MemberId
from domain.auditor_access import AccessPurpose
from domain.member import Member
from domain.personal import ErasureReason, KeptFact
from services.command import Text
from services.disclose_fact import DiscloseFact, Disclosure, disclose_fact
from services.erase_personal_facts import ErasePersonalFacts, erase_personal_facts
from services.export_personal_facts import (
    ExportParts,
    ExportPersonalFacts,
    PersonalExport,
    export_personal_facts,
)
from services.grant_access import GrantAccess, grant_access
from services.list_access_grants import AccessGrantListed, ListAccessGrants, list_access_grants
from services.read_facts import FactRead, read_facts
from services.read_history import ReadHistory
from services.revoke_access import RevokeAccess, revoke_access

routes = APIRouter(prefix=ORGANIZATION, tags=["privacy"])

GrantId = Annotated[UUID, Path(description="The grant.")]


class ErasureWanted(Body):
    reason: ErasureReason = Field(description="A code, for a text may name somebody.")
    what_may_go: bool = Field(
        default=False, description="Erases the rest where some facts must be kept, instead of nothing."
    )


class Erased(Done):
    """What was erased of a person, and what stays for now because documents must be kept."""

    member_id: UUID
    erased: int = Field(description="How many personal facts.")
    kept: list[KeptFact]


@routes.post(
    "/members/{member_id}/erasure",
    operation_id="erase_personal_facts",
    summary="Forget a person",
    response_model=Erased,
)
def erase(call: AdminDoes, member_id: MemberId, body: ErasureWanted) -> Response:
    """Deletes what is known of a removed member; history says what went, by whom and why. Stored cards go too.

    Refused, with the date, while issued invoices must be kept that are made out to the member.
    """
    house = call.house
    command = call.wish(ErasePersonalFacts, member_id=member_id, **body.given())
    receipt = erase_personal_facts(
        house.ledger,
        command,
        house.directory,
        house.billing_views,
        erasures=house.erasures,
        till=call.till,
        keep_years=house.settings.invoice_keep_years,
    )
    told = house.ledger.told(call.organization_id, receipt) if receipt.events else []
    events = [event for event in told if isinstance(event, Member.PersonalDataErased)]
    if events and not receipt.repeated:
        house.erasures.vacuum()
    return done(
        call,
        receipt,
        Erased,
        member_id=member_id,
        erased=sum(len(event.erased) for event in events),
        kept=[fact for event in events for fact in event.kept],
    )


@routes.post(
    "/members/{member_id}/exports",
    operation_id="export_personal_facts",
    summary="Export what is known of a person",
    response_model=PersonalExport,
)
def export(call: AdminDoes, member_id: MemberId) -> Response:
    """Everything, for who answers requests, or with `Seatledger-Role: purchaser` for the members themselves.

    That it was exported is recorded, once for a key. A repeat tells what is known by then, for no copy is kept.
    """
    house = call.house
    parts = ExportParts(
        register=house.directory,
        purchases=house.views,
        billing=house.billing_views,
        invoices=house.invoice_views,
        holdings=house.holdings,
    )
    return shown(export_personal_facts(house.ledger, call.wish(ExportPersonalFacts, member_id=member_id), parts))


class AccessWanted(Body):
    auditor_id: UUID
    purpose: AccessPurpose
    ends_at: AwareDatetime = Field(description="At most 366 days from now.")
    subject_id: UUID | None = Field(default=None, description="Opens this member alone; none: everybody.")


class AccessGiven(Done):
    """What an auditor may read, and until when."""

    grant_id: UUID
    ends_at: datetime


@routes.post(
    "/access-grants", operation_id="grant_access", summary="Let an auditor read names", response_model=AccessGiven
)
def grant(call: AdminDoes, body: AccessWanted) -> Response:
    """Opens personal facts to an auditor, for a purpose and until a time; each reading is recorded."""
    command = call.wish(GrantAccess, **body.given())
    receipt = grant_access(call.house.ledger, command)
    return done(call, receipt, AccessGiven, grant_id=command.grant_id, ends_at=command.ends_at)


@routes.get(
    "/access-grants",
    operation_id="list_access_grants",
    summary="List who may read names",
    response_model=Page[AccessGrantListed],
)
def list_grants(call: AdminReads) -> Response:
    """Of all who are auditors now; an auditor (`Seatledger-Role`) sees their own."""
    found = list_access_grants(call.house.ledger, call.wish(ListAccessGrants))
    return shown(Page[AccessGrantListed](items=list(found)))


@routes.delete(
    "/auditors/{auditor_id}/access-grants/{grant_id}",
    operation_id="revoke_access",
    summary="End an auditor's grant",
    response_model=Done,
)
def revoke(
    call: AdminDoes, auditor_id: Annotated[UUID, Path(description="The auditor.")], grant_id: GrantId
) -> Response:
    """From the next reading on; what was read stays in history."""
    command = call.wish(RevokeAccess, auditor_id=auditor_id, grant_id=grant_id)
    return done(call, revoke_access(call.house.ledger, command), Done)


class FactsRead(BaseModel):
    """The personal facts that a thing's history refers to."""

    items: list[FactRead]


@routes.get(
    "/facts/{aggregate_id}",
    operation_id="read_facts",
    summary="Read the personal facts of a thing",
    response_model=FactsRead,
)
def read(call: AuditorReads, aggregate_id: AggregateId) -> Response:
    """Values, `[erased]`, or `[withheld]` from an auditor whom no grant lets read. What is told is recorded first."""
    query = call.wish(ReadHistory, aggregate_id=aggregate_id)
    return shown(FactsRead(items=read_facts(call.house.ledger, call.directory, query)))


class Kept(Body):
    """A value that somebody kept, as an export has it."""

    fact_id: UUID
    value: Text = Field(max_length=100_000, repr=False)
    salt: str = Field(pattern="^[0-9a-f]{64}$", repr=False)


@routes.post("/disclosures", operation_id="disclose_fact", summary="Check a kept value", response_model=Disclosure)
def disclose(call: AuditorDoes, body: Kept) -> Response:
    """Whether it is the value that history committed to, also after it was erased. It changes and keeps nothing."""
    return shown(disclose_fact(call.house.ledger, call.house.directory, call.wish(DiscloseFact, **body.given())))
