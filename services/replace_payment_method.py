"""Replace the payment method that a billing profile charges; the replaced one stays stored."""

from uuid import UUID

from domain.refusals import NotFound
from services.collect_past_due import collect_past_due
from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class ReplacePaymentMethod(Command):
    billing_profile_id: UUID
    payment_method_id: UUID


def replace_payment_method(ledger: Ledger, command: ReplacePaymentMethod, till: Till) -> Receipt:
    """What is past due is tried at once on the new card."""
    receipt = _replace(ledger, command, till)
    organization = ledger.organization(command.organization_id)
    collect_past_due(ledger, till, organization, command.billing_profile_id, because=command.command_id)
    return receipt


@operation
def _replace(ledger: Ledger, command: ReplacePaymentMethod, till: Till) -> Receipt:
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="charge")
    profile, books = at_hand.profile, at_hand.books
    method = books.method(command.payment_method_id)
    if command.actor.id != method.owner_id:
        raise NotFound(what="payment method", key=method.id)
    before = books.method(profile.payment_method_id)
    if method is not before:
        method.attach(profile.id)
        before.detach(profile.id)
        profile.replace_payment_method(method.id)
    return ledger.save(
        profile, method, *([before] if before is not method else []), seen=at_hand.seen, because=command, at=at_hand.at
    )
