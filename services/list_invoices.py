"""List invoices: of the past three months unless said otherwise, newest first."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from domain.calendar import add_months, utc_date
from domain.invoice import InvoiceState
from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports_reads import PAGE, InvoiceCursor, InvoiceFilter, InvoicePage, InvoiceViews


class ListInvoices(Value):
    """By invoice date: the past 3 or 6 months, or from one day to another, both included; read at `at_least`."""

    organization_id: UUID
    actor: Actor
    past_months: Literal[3, 6] = 3  # where neither day is given
    since: date | None = None
    until: date | None = None
    billing_profile_id: UUID | None = None
    state: InvoiceState | None = None
    after: InvoiceCursor | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0

    @model_validator(mode="after")
    def _in_order(self) -> "ListInvoices":
        if self.since and self.until and self.since > self.until:
            raise ValueError("the first day is after the last")
        return self


def list_invoices(ledger: Ledger, views: InvoiceViews, query: ListInvoices) -> InvoicePage:
    """Who is a purchaser only sees those of profiles on which they have a role, whatever the filter asks."""
    organization = standing_seen(ledger, query).organization
    may(query.actor, "see invoices")
    since = query.since
    if since is None and query.until is None:
        since = add_months(utc_date(ledger.now(organization)), -query.past_months)
    where = InvoiceFilter(
        billing_profile_id=query.billing_profile_id,
        seen_by=query.actor.id if query.actor.role == "purchaser" else None,
        state=query.state,
        since=since,
        until=query.until,
    )
    return views.list(query.organization_id, where, after=query.after, limit=query.limit, at_least=query.at_least)
