"""Assign: licenses to up to 20 users at a time, all or none."""

from uuid import UUID

from pydantic import Field

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class AssignLicenses(Command):
    subscription_id: UUID
    user_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)  # the pool says how many at once


@operation
def assign_licenses(ledger: Ledger, command: AssignLicenses) -> Receipt:
    """All users or none; refuses with every user that cannot hold a license, and why."""
    subscription = ledger.subscription(command.organization_id, command.subscription_id)
    standing = standing_of(ledger, command)
    may(command.actor, "assign licenses", subscription)
    subscription.refuse_unless("assign")
    pool = ledger.license_pool(command.organization_id, subscription.pool_id)
    members = ledger.members(command.organization_id, command.user_ids)
    pool.assign(members)
    at = ledger.now(pool)
    seen = [subscription, *standing.seen, *filter(None, members.values())]
    return ledger.save(pool, seen=seen, because=command, at=at)
