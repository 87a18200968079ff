"""Open a billing profile: who is billed, by which card."""

from uuid import UUID

from pydantic import Field

from domain.billing_profile import BillingProfile, BillTo
from domain.personal import PersonalFact, Purpose
from services.buy_subscription import own_profile_id
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class BillToDetails(Command):
    """Who an invoice is made out to; what is None stays as it is. All but the country are personal facts."""

    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    bill_to: Text | None = Field(default=None, min_length=1, max_length=200, repr=False)  # the name
    address: Text | None = Field(default=None, min_length=1, max_length=1_000, repr=False)
    tax_id: Text | None = Field(default=None, min_length=1, max_length=64, repr=False)


class OpenBillingProfile(BillToDetails):
    """A member's first profile is the one that their purchases are billed on when they name none."""

    payment_method_id: UUID

    @property
    def further_profile_id(self) -> UUID:
        return self.new_id("billing_profile")


@operation
def open_billing_profile(ledger: Ledger, command: OpenBillingProfile) -> Receipt:
    """In the organization's currency; made out to the organization's country unless another is said."""
    standing = standing_of(ledger, command)
    may(command.actor, "be billed")
    method = ledger.payment_method(command.organization_id, command.payment_method_id)
    method.refuse_stranger(command.actor.id)
    own_id = own_profile_id(command.organization_id, command.actor.id)
    taken = ledger.find(BillingProfile, command.organization_id, own_id)
    organization = standing.organization.facts
    facts = bill_to_facts(ledger, command, command.actor.id)
    profile = BillingProfile.open(
        id=command.further_profile_id if taken else own_id,
        owner_id=command.actor.id,
        currency=organization.currency,
        currency_exponent=organization.currency_exponent,
        payment_method_id=method.id,
        bill_to=bill_to_with(BillTo(country=organization.country), command, facts),
    )
    method.attach(profile.id)
    at = ledger.now(standing.organization, method)
    return ledger.save(profile, method, seen=standing.seen, facts=list(facts.values()), because=command, at=at)


def bill_to_facts(ledger: Ledger, command: BillToDetails, subject_id: UUID) -> dict[Purpose, PersonalFact]:
    """What is personal about who is billed, by purpose."""
    given: dict[Purpose, str | None] = {
        "bill_to_name": command.bill_to,
        "bill_to_address": command.address,
        "tax_id": command.tax_id,
    }
    return {
        purpose: ledger.fact(command, purpose, subject_id=subject_id, purpose=purpose, value=value)
        for purpose, value in given.items()
        if value is not None
    }


def bill_to_with(before: BillTo, command: BillToDetails, facts: dict[Purpose, PersonalFact]) -> BillTo:
    """The bill-to with what the command says."""
    refs = {purpose: fact.ref for purpose, fact in facts.items()}
    return BillTo(
        country=command.country or before.country,
        name=refs.get("bill_to_name", before.name),
        address=refs.get("bill_to_address", before.address),
        tax_id=refs.get("tax_id", before.tax_id),
    )
