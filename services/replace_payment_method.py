"""Replace the payment method that a billing profile charges; the replaced one stays stored."""

from uuid import UUID

from services.billing import collect_past_due
from services.command import Command
from services.ledger import Ledger, operation
from services.life_cycle import see_books_through
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class ReplacePaymentMethod(Command):
    billing_profile_id: UUID
    payment_method_id: UUID


@operation
def replace_payment_method(ledger: Ledger, command: ReplacePaymentMethod, till: Till) -> Receipt:
    """What is past due is tried at once on the new card; that it is to be stands in the same save as the change."""
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="charge")
    profile, books, at = at_hand.profile, at_hand.books, at_hand.at
    method = books.method(command.payment_method_id)
    method.refuse_stranger(command.actor.id)
    before = books.method(profile.payment_method_id)
    if method is not before:
        method.attach(profile.id)
        before.detach(profile.id)
        profile.replace_payment_method(method.id)
    collect_past_due(books, till, at=at)
    receipt = ledger.save(*books.told(), seen=[*at_hand.seen, method], because=command, at=at)
    see_books_through(ledger, till, books, causation_id=command.command_id)
    return receipt
