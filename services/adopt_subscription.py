"""Adopt: an admin takes a member's purchase over; it is central from now on, and billed on a profile of the admin's."""

from uuid import UUID

from domain.subscription import TakeOverReason
from services.buy_subscription import own_profile_id, profile_to_charge
from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.purchase import books_up_to_date, purchase_of
from services.till import Till


class AdoptSubscription(Command):
    """Onto the named profile, or the admin's own."""

    subscription_id: UUID
    reason: TakeOverReason
    billing_profile_id: UUID | None = None


@operation
def adopt_subscription(ledger: Ledger, command: AdoptSubscription, till: Till) -> Receipt:
    """Holders keep their licenses; what was billed before stays with the profile that it was billed on."""
    purchase = purchase_of(ledger, till, command, "take over")
    admin = ledger.member(command.organization_id, command.actor.id)
    profile_id = command.billing_profile_id or own_profile_id(command.organization_id, admin.id)
    profile_to_charge(ledger, command, profile_id, admin)
    books, _ = books_up_to_date(ledger, till, purchase.standing.organization, profile_id, because=command.command_id)
    subscription = purchase.subscription
    subscription.adopt(purchaser_id=admin.id, billing_profile_id=profile_id, reason=command.reason)
    told = [subscription]
    if profile_id != purchase.books.profile.id:
        purchase.books.profile.take_off(subscription.id)
        books.profile.put_on(subscription.id)
        told = [subscription, purchase.books.profile, books.profile]  # type: ignore[list-item]
    return ledger.save(*told, seen=[*purchase.seen, admin], because=command, at=purchase.at)
