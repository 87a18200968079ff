"""List billing profiles: those on which the caller has a role, or all for those who see every invoice."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports_reads import PAGE, BillingProfileRow, BillingViews


class ListBillingProfiles(Value):
    """A page, after a profile's id. `mine`: also for an admin only those on which they have a role."""

    organization_id: UUID
    actor: Actor
    mine: bool = False
    after: UUID | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


def list_billing_profiles(
    ledger: Ledger, views: BillingViews, query: ListBillingProfiles
) -> Sequence[BillingProfileRow]:
    """Who is a purchaser only sees those on which they have a role."""
    standing_seen(ledger, query)
    may(query.actor, "see invoices")
    seen_by = query.actor.id if query.mine or query.actor.role == "purchaser" else None
    return views.profiles(
        query.organization_id, seen_by=seen_by, after=query.after, limit=query.limit, at_least=query.at_least
    )
