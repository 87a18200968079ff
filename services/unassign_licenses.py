"""Unassign: takes licenses of up to 20 users at a time, over one or several subscriptions."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from domain.license_pool import refuse_many_users
from services.command import Actor, Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class UnassignLicenses(Command):
    """By product means: over all of the caller's subscriptions to it."""

    subscription_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)
    user_ids: tuple[UUID, ...] = Field(min_length=1, max_length=1_000)


@dataclass(frozen=True)
class OnePurchase:
    """The part of the command that is about one subscription."""

    whole: UnassignLicenses
    subscription_id: UUID

    @property
    def organization_id(self) -> UUID:
        return self.whole.organization_id

    @property
    def command_id(self) -> UUID:
        return self.whole.command_id

    @property
    def actor(self) -> Actor:
        return self.whole.actor


@operation
def unassign_licenses(ledger: Ledger, command: UnassignLicenses, till: Till) -> Receipt:
    """Frees the licenses at once; who holds none is left alone."""
    refuse_many_users(len(set(command.user_ids)))
    purchases = [
        purchase_of(ledger, till, OnePurchase(command, subscription_id), "assign licenses")
        for subscription_id in dict.fromkeys(command.subscription_ids)
    ]
    for purchase in purchases:
        purchase.subscription.refuse_unless("unassign")
        purchase.pool.unassign(command.user_ids)
    told = [aggregate for purchase in purchases for aggregate in purchase.told]
    seen = [aggregate for purchase in purchases for aggregate in purchase.seen]
    return ledger.save(*told, seen=seen, because=command, at=max(purchase.at for purchase in purchases))
