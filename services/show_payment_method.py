"""Show a payment method: what may be known of a card, for its owner and for who may change it."""

from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from domain.payment_method import Expiry
from domain.personal import FactRef
from domain.refusals import NotFound
from services.bill_to_shown import ERASED
from services.command import Actor
from services.edit_payment_method import editable_by
from services.ledger import Ledger
from services.may import may, standing_seen
from services.open_to_auditor import WITHHELD
from services.ports import Directory


class ShowPaymentMethod(Value):
    organization_id: UUID
    actor: Actor
    payment_method_id: UUID


class ShownPaymentMethod(Value):
    """A card as history has it now. Name and address are told to its owner alone; erased ones read `[erased]`."""

    payment_method_id: UUID
    owner_id: UUID
    provider: str
    brand: str
    last4: str
    expiry: Expiry
    country: str  # of the issuer
    holder: str | None = Field(repr=False)
    address: str | None = Field(repr=False)
    charged_by: tuple[UUID, ...]  # billing profiles, of those that the caller may see
    version: int


def show_payment_method(ledger: Ledger, directory: Directory, query: ShowPaymentMethod) -> ShownPaymentMethod:
    """Seen by who may edit it: its owner, and who may charge a profile that charges it."""
    standing_seen(ledger, query)
    may(query.actor, "keep payment methods")
    organization_id, actor_id = query.organization_id, query.actor.id
    method = ledger.payment_method(organization_id, query.payment_method_id)
    method.refuse_when_removed()
    if not editable_by(ledger, query, method.owner_id, method.charged_by):
        raise NotFound(what="payment method", key=method.id)
    owned = method.owner_id == actor_id
    refs = [ref for ref in (method.holder, method.address) if ref]
    known = directory.facts(organization_id, [ref.fact_id for ref in refs]) if owned else {}
    missing = ERASED if owned else WITHHELD

    def told(ref: FactRef | None) -> str | None:
        return known.get(ref.fact_id, missing) if ref else None

    return ShownPaymentMethod(
        payment_method_id=method.id,
        owner_id=method.owner_id,
        provider=method.card.provider,
        brand=method.card.brand,
        last4=method.card.last4,
        expiry=method.card.expiry,
        country=method.card.country,
        holder=told(method.holder),
        address=told(method.address),
        charged_by=tuple(
            one
            for one in method.charged_by
            if owned or ledger.billing_profile(organization_id, one).allows(actor_id, "see")
        ),
        version=method.version,
    )
