"""Add or remove licenses: the user says the new total."""

from uuid import UUID

from pydantic import Field

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class ResizeLicenses(Command):
    """The new `total`; `expected_total` is what the user saw before."""

    subscription_id: UUID
    total: int = Field(ge=0, le=1_000_000)
    expected_total: int | None = Field(default=None, ge=0, le=1_000_000)


@operation
def resize_licenses(ledger: Ledger, command: ResizeLicenses) -> Receipt:
    """Adds licenses at the price of the term, or removes the newest while their window is open."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "change licenses", subscription)
    pool = ledger.license_pool(command.organization_id, subscription.pool_id)
    pool.refuse_unexpected(command.expected_total)
    at = ledger.now(pool, subscription)
    if command.total > pool.total:
        subscription.refuse_unless("increase")
        if subscription.channel == "self_service":
            standing.organization.refuse_unless_self_service(subscription.product.product_id)
    else:
        subscription.refuse_unless("decrease")
    pool.resize(command.total, subscription.price, at)
    return ledger.save(pool, seen=[subscription, *standing.seen], because=command, at=at)
