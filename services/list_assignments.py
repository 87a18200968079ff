"""List assignments: who holds a license of a purchase, or held one on a day; a page at a time."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.ports_reads import PAGE, AssignmentRow, PurchaseViews
from services.show_purchase import page_of_holders, purchase_seen


class ListAssignments(Value):
    """A page, after the `assigned_seq` of a row. With a day: who held a license at any time of that UTC day."""

    organization_id: UUID
    actor: Actor
    subscription_id: UUID
    on: date | None = None
    after_seq: int = 0
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


def list_assignments(ledger: Ledger, views: PurchaseViews, query: ListAssignments) -> Sequence[AssignmentRow]:
    """Oldest assignment first, for who may see the purchase."""
    row = purchase_seen(ledger, views, query)
    if query.on is None and not row.licenses_assigned:
        return []
    # The two read models are apart: who holds a license is read as of where the purchase was.
    return page_of_holders(
        views,
        query,
        row.subscription_id,
        after_seq=query.after_seq,
        at_least=row.last_position,
        limit=query.limit,
    )
