"""Show a billing profile: who is billed there, by which card, for what, and who has a role on it."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from domain.billing_profile import BillingProfile, ProfileRole
from domain.kernel import Value
from domain.payment_method import Expiry
from domain.refusals import NotFound
from services.bill_to_shown import bill_to_shown
from services.command import Actor
from services.ledger import Ledger
from services.may import Wish, may, standing_seen
from services.ports import Directory


class ShowBillingProfile(Value):
    organization_id: UUID
    actor: Actor
    billing_profile_id: UUID


class ShownCard(Value):
    payment_method_id: UUID
    owner_id: UUID
    brand: str
    last4: str
    expiry: Expiry
    version: int


class ShownBillingProfile(Value):
    """A profile as history has it now. Names are what the personal facts say; erased ones read `[erased]`."""

    billing_profile_id: UUID
    owner_id: UUID
    prefix: str
    currency: str
    currency_exponent: int
    bill_to: tuple[str, ...] = Field(repr=False)
    country: str
    tax_id: str | None = Field(repr=False)
    po_number: str | None
    balance_minor: int
    card: ShownCard
    roles: Mapping[UUID, ProfileRole]
    subscription_ids: tuple[UUID, ...]
    open_invoice_ids: tuple[UUID, ...]
    invoices: int
    credit_notes: int
    version: int


def show_billing_profile(ledger: Ledger, directory: Directory, query: ShowBillingProfile) -> ShownBillingProfile:
    """A profile on which a purchaser has no role does not exist for them."""
    standing_seen(ledger, query)
    may(query.actor, "see invoices")
    profile = ledger.billing_profile(query.organization_id, query.billing_profile_id)
    refuse_unseen(profile, query, what="billing profile", key=profile.id)
    method = ledger.payment_method(query.organization_id, profile.payment_method_id)
    billed = bill_to_shown(directory, query.organization_id, profile.bill_to, query.actor)
    return ShownBillingProfile(
        billing_profile_id=profile.id,
        owner_id=profile.owner_id,
        prefix=profile.prefix,
        currency=profile.currency,
        currency_exponent=profile.currency_exponent,
        bill_to=billed.lines,
        country=profile.bill_to.country,
        tax_id=billed.tax_id,
        po_number=profile.po_number,
        balance_minor=profile.balance_minor,
        card=ShownCard(
            payment_method_id=method.id,
            owner_id=method.owner_id,
            brand=method.card.brand,
            last4=method.card.last4,
            expiry=method.card.expiry,
            version=method.version,
        ),
        roles=profile.roles,
        subscription_ids=tuple(profile.subscriptions),
        open_invoice_ids=tuple(profile.open_invoices),
        invoices=profile.invoices,
        credit_notes=profile.credit_notes,
        version=profile.version,
    )


def refuse_unseen(profile: BillingProfile, wish: Wish, *, what: str, key: object) -> None:
    """For a purchaser without a role on the profile, nothing of it exists."""
    if wish.actor.role == "purchaser" and not profile.allows(wish.actor.id, "see"):
        raise NotFound(what=what, key=key)
