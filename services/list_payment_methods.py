"""List payment methods: the caller's own stored cards."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports_reads import PAGE, BillingViews, PaymentMethodRow


class ListPaymentMethods(Value):
    """A page, after a payment method's id."""

    organization_id: UUID
    actor: Actor
    after: UUID | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)
    at_least: int = 0


def list_payment_methods(ledger: Ledger, views: BillingViews, query: ListPaymentMethods) -> Sequence[PaymentMethodRow]:
    """Nobody sees another member's cards; removed ones are left out."""
    standing_seen(ledger, query)
    may(query.actor, "keep payment methods")
    return views.payment_methods(
        query.organization_id, query.actor.id, after=query.after, limit=query.limit, at_least=query.at_least
    )
