"""Assign: licenses to up to 20 users at a time, all or none."""

from uuid import UUID

from pydantic import Field

from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class AssignLicenses(Command):
    subscription_id: UUID
    user_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)  # the pool says how many at once


@operation
def assign_licenses(ledger: Ledger, command: AssignLicenses, till: Till) -> Receipt:
    """All users or none; refuses with every user that cannot hold a license, and why."""
    purchase = purchase_of(ledger, till, command, "assign licenses")
    purchase.subscription.refuse_unless("assign")
    members = ledger.members(command.organization_id, command.user_ids)
    purchase.pool.assign(members)
    seen = [*purchase.seen, *filter(None, members.values())]
    return ledger.save(*purchase.told, seen=seen, because=command, at=purchase.at)
