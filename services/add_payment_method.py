"""Add a payment method: a card by its provider's token, attached to nothing."""

from uuid import UUID

from pydantic import Field

from domain.payment_method import CardFacts, Expiry, PaymentMethod
from domain.personal import PersonalFact, Purpose
from domain.refusals import CardNotAccepted, PaymentProviderUnavailable
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt
from services.ports_payments import Card, CardRefused, GatewayUnavailable
from services.till import Till


class AddPaymentMethod(Command):
    """`token` is the provider's, for a card that was given to it alone. Name and address are personal facts."""

    token: Text = Field(min_length=1, max_length=256, repr=False)
    holder: Text | None = Field(default=None, min_length=1, max_length=200, repr=False)
    address: Text | None = Field(default=None, min_length=1, max_length=1_000, repr=False)

    @property
    def payment_method_id(self) -> UUID:
        return self.new_id("payment_method")


@operation
def add_payment_method(ledger: Ledger, command: AddPaymentMethod, till: Till) -> Receipt:
    """Stores the card with the provider and what may be known of it here."""
    standing = standing_of(ledger, command)
    may(command.actor, "keep payment methods")
    try:
        card = till.gateway.store(command.token, owner_id=command.actor.id, organization_id=command.organization_id)
    except CardRefused as refused:
        raise CardNotAccepted(why=refused.code) from None
    except GatewayUnavailable:
        raise PaymentProviderUnavailable(asked_to="store") from None
    facts = card_facts(ledger, command, command.holder, command.address, subject_id=command.actor.id)
    method = PaymentMethod.add(
        id=command.payment_method_id,
        owner_id=command.actor.id,
        organization=standing.organization,
        card=known_of(card, till.gateway.name),
        holder=facts["card_holder"].ref if "card_holder" in facts else None,
        address=facts["card_address"].ref if "card_address" in facts else None,
    )
    return ledger.save(
        method,
        seen=standing.seen,
        facts=list(facts.values()),
        because=command,
        at=ledger.now(standing.organization),
    )


def known_of(card: Card, provider: str) -> CardFacts:
    return CardFacts(
        provider=provider,
        token=card.token,
        brand=card.brand,
        last4=card.last4,
        expiry=Expiry(month=card.expiry_month, year=card.expiry_year),
        country=card.country,
    )


def card_facts(
    ledger: Ledger, command: Command, holder: str | None, address: str | None, *, subject_id: UUID
) -> dict[Purpose, PersonalFact]:
    """What is personal about a card, by purpose; its owner's, whoever says it."""
    given: dict[Purpose, str | None] = {"card_holder": holder, "card_address": address}
    return {
        purpose: ledger.fact(command, purpose, subject_id=subject_id, purpose=purpose, value=value)
        for purpose, value in given.items()
        if value is not None
    }
