"""Edit a payment method: expiry, name on the card, address, security code. The number never changes."""

from uuid import UUID

from pydantic import Field, model_validator

from domain.payment_method import Expiry
from domain.refusals import CardDataNotAccepted, CardNotAccepted, NotFound, PaymentProviderUnavailable
from services.add_payment_method import card_facts
from services.billing import collect_past_due
from services.card_guard import CODE
from services.command import Command, Text
from services.ledger import Ledger, operation, refuse_changed
from services.life_cycle import see_books_through
from services.may import Wish, may, standing_of
from services.ports import Receipt
from services.ports_payments import CardEdit, CardRefused, GatewayUnavailable
from services.purchase import books_up_to_date
from services.till import Till


class EditPaymentMethod(Command):
    """What is None stays. `security_code_token` is one-time: the provider checks it, and it is kept nowhere."""

    payment_method_id: UUID
    expiry: Expiry | None = None
    holder: Text | None = Field(default=None, min_length=1, max_length=200, repr=False)
    address: Text | None = Field(default=None, min_length=1, max_length=1_000, repr=False)
    security_code_token: Text | None = Field(default=None, min_length=1, max_length=256, repr=False)

    @model_validator(mode="after")
    def _says_something(self) -> "EditPaymentMethod":
        if not (self.expiry or self.holder or self.address or self.security_code_token):
            raise ValueError("say what changes: expiry, holder, address or the security code's token")
        if self.security_code_token and CODE.fullmatch(self.security_code_token):
            raise CardDataNotAccepted(field="/security_code_token")  # the code itself, in the place of its token
        return self


@operation
def edit_payment_method(ledger: Ledger, command: EditPaymentMethod, till: Till) -> Receipt:
    """The provider takes the change over first; then what is past due on it is tried at once.

    That it is to be tried stands in the same save as the change.
    """
    standing = standing_of(ledger, command)
    may(command.actor, "keep payment methods")
    method = ledger.payment_method(command.organization_id, command.payment_method_id)
    method.refuse_when_removed()
    if not editable_by(ledger, command, method.owner_id, method.charged_by):
        raise NotFound(what="payment method", key=method.id)
    if receipt := ledger.answer_of(command):
        return receipt  # before the provider is asked again: a security code's token is taken once
    refuse_changed(command, {method.id: method.version})  # before the provider is asked at all
    # What was due before is taken as of before, on the card as it is.
    all_books = [
        books_up_to_date(ledger, till, standing.organization, profile_id, because=command.command_id)[0]
        for profile_id in method.charged_by
    ]
    changes = CardEdit(
        expiry_month=command.expiry.month if command.expiry else None,
        expiry_year=command.expiry.year if command.expiry else None,
        holder=command.holder,
        address=command.address,
        security_code_token=command.security_code_token,
    )
    try:
        till.gateway.edit(method.card.token, changes)
    except CardRefused as refused:
        raise CardNotAccepted(why=refused.code) from None
    except GatewayUnavailable:
        raise PaymentProviderUnavailable(asked_to="edit") from None
    facts = card_facts(ledger, command, command.holder, command.address, subject_id=method.owner_id)
    method.edit(
        expiry=command.expiry,
        holder=facts["card_holder"].ref if "card_holder" in facts else None,
        address=facts["card_address"].ref if "card_address" in facts else None,
        security_code=command.security_code_token is not None,
    )
    profiles = [books.profile for books in all_books]
    at = ledger.now(standing.organization, method, *profiles)
    for books in all_books:
        collect_past_due(books, till, at=at)
    told = [aggregate for books in all_books for aggregate in books.told()]
    seen = [*standing.seen, *profiles]
    receipt = ledger.save(method, *told, seen=seen, facts=list(facts.values()), because=command, at=at)
    for books in all_books:
        see_books_through(ledger, till, books, causation_id=command.command_id)
    return receipt


def editable_by(ledger: Ledger, wish: Wish, owner_id: UUID, charged_by: list[UUID]) -> bool:
    """The card's owner, and who may change the card of a profile that charges it."""
    if wish.actor.id == owner_id:
        return True
    profiles = [ledger.billing_profile(wish.organization_id, one) for one in charged_by]
    return any(profile.allows(wish.actor.id, "charge") for profile in profiles)
