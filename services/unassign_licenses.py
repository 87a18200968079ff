"""Unassign: takes licenses of up to 20 users at a time, over one or several subscriptions."""

from uuid import UUID

from pydantic import Field

from domain.license_pool import refuse_many_users
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class UnassignLicenses(Command):
    """By product means: over all of the caller's subscriptions to it."""

    subscription_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)
    user_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)


@operation
def unassign_licenses(ledger: Ledger, command: UnassignLicenses) -> Receipt:
    """Frees the licenses at once; who holds none is left alone."""
    refuse_many_users(len(set(command.user_ids)))
    standing = standing_of(ledger, command)
    subscriptions, pools = [], []
    for subscription_id in dict.fromkeys(command.subscription_ids):
        subscription = ledger.subscription(command.organization_id, subscription_id)
        may(command.actor, "assign licenses", subscription)
        subscription.refuse_unless("unassign")
        pool = ledger.license_pool(command.organization_id, subscription.pool_id)
        pool.unassign(command.user_ids)
        subscriptions.append(subscription)
        pools.append(pool)
    return ledger.save(*pools, seen=[*subscriptions, *standing.seen], because=command, at=ledger.now(*pools))
