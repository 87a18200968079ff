"""The public events: an allow-list of fields for each event of the domain that means something to others.

The contract is the models in `public_purchases`, `public_licenses`, `public_billing`, `public_invoices`,
`public_payments`, `public_directory` and `public_catalog`, not the domain: a field goes out because it is written
there. Names and fields of a version stay; fields may be added. What means nothing to others, or is not for them, is
listed in `OPAQUE`.
"""

from __future__ import annotations

from adapters.kafka import (
    public_billing,
    public_catalog,
    public_directory,
    public_invoices,
    public_licenses,
    public_payments,
    public_purchases,
)
from adapters.kafka.public_values import DECLARED, PublicEvent, PublicType
from domain.billing_profile import BillingProfile
from domain.invoice import Invoice
from domain.kernel import AggregateEvent
from domain.member import Member
from domain.payment_method import PaymentMethod

OPAQUE: frozenset[type[AggregateEvent]] = frozenset(
    {
        Member.MemberDetailsChanged,  # says which personal facts changed, and nothing else
        PaymentMethod.PaymentMethodEdited,  # says which details of a card changed, and nothing else
        BillingProfile.PurchaseOrderNumberSet,  # is a text that people write: it may name anybody, and topics keep it
        # Which profile charges a payment method, BillingProfileOpened and PaymentMethodReplaced say.
        PaymentMethod.PaymentMethodAttached,
        PaymentMethod.PaymentMethodDetached,
        # On which profile a subscription is billed, and until when, the events of the subscription say.
        BillingProfile.SubscriptionPutOnProfile,
        BillingProfile.SubscriptionTakenOffProfile,
        # The document that comes with it says its number.
        BillingProfile.InvoiceNumbered,
        BillingProfile.CreditNoteNumbered,
        BillingProfile.InvoiceReopened,  # how the profile finds its open invoices; the invoice says why it is open
        # Keep other payments off an invoice; the payment says which invoices it is for.
        Invoice.CollectionStarted,
        Invoice.CollectionEnded,
    }
)
"""Events that consumers see as a place in the sequence, without content."""


class Opaque(PublicEvent):
    """Something happened that is not public; it is sent so that the sequence has no gap."""


OPAQUE_TYPE = PublicType("seatledger.opaque.v1", Opaque)

PUBLIC_TYPES: dict[str, PublicType] = {
    **DECLARED,
    **{kind.TOPIC: OPAQUE_TYPE for kind in OPAQUE},
}
"""What an event is called outside, by its stored name: every event of the domain stands here."""

__all__ = [
    "OPAQUE",
    "OPAQUE_TYPE",
    "PUBLIC_TYPES",
    "public_billing",
    "public_catalog",
    "public_directory",
    "public_invoices",
    "public_licenses",
    "public_payments",
    "public_purchases",
]
