"""The public events: an allow-list of fields for each event of the domain that means something to others.

The contract is the models in `public_purchases`, `public_licenses`, `public_billing`, `public_invoices`,
`public_payments`, `public_directory` and `public_catalog`, not the domain: a field goes out because it is written
there. Names and fields of a version stay; fields may be added. What means nothing to others, or is not for them, is
listed in `OPAQUE`. docs/events is made of the models, and `make check` holds them to what releases promised.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kafka import (
    public_billing,
    public_catalog,
    public_directory,
    public_invoices,
    public_licenses,
    public_payments,
    public_purchases,
)
from adapters.kafka.public_values import DECLARED, LATER, PublicEvent, PublicType
from domain.auditor_access import AuditorAccess
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
        # Who may look at, looked at, or got personal facts is between the organization and its auditors.
        Member.PersonalDataExported,
        AuditorAccess.AuditorAccessOpened,
        AuditorAccess.AccessGranted,
        AuditorAccess.AccessRevoked,
        AuditorAccess.PersonalDataRead,
    }
)
"""Events that consumers see as a place in the sequence, without content."""


class Opaque(PublicEvent):
    """Something happened that is not public.

    Sent in the place of an event without public content, so that `ce_sequence` has no gap. Promises nothing but its
    place: count it and go on. An event that is opaque today may get a type of its own later.
    """


OPAQUE_TYPE = PublicType("seatledger.opaque.v1", Opaque)


class Skipped(PublicEvent):
    """Something happened that could not be published, and an operator decided to go on without it.

    Sent in the place of the event, with its id, position and sequence, so that nothing is missing. What happened is in
    the ledger: whoever depends on every event asks there before going on.
    """


SKIPPED_TYPE = PublicType("seatledger.skipped.v1", Skipped)

PLACEHOLDERS = (OPAQUE_TYPE, SKIPPED_TYPE)
"""What any event may go out as, in every edition."""

PUBLIC_TYPES: dict[str, PublicType] = {
    **DECLARED,
    **{kind.TOPIC: OPAQUE_TYPE for kind in OPAQUE},
}
"""What an event is called outside, by its stored name: every event of the domain stands here."""


class NoSuchEdition(Exception):
    """Says which editions of the topic there are."""


def editions() -> list[int]:
    """The editions of the topic that there are: each has every event once."""
    return [1, *sorted(LATER)]


def types_of(edition: int) -> Mapping[str, PublicType]:
    """What every event is called in an edition: as there, or else as in the last edition before that calls it anew."""
    if edition not in editions():
        raise NoSuchEdition(f"there is no edition {edition} of the topic; there is {editions()}")
    types = dict(PUBLIC_TYPES)
    for later in range(2, edition + 1):
        types |= LATER.get(later, {})
    return types


__all__ = [
    "OPAQUE",
    "OPAQUE_TYPE",
    "PLACEHOLDERS",
    "PUBLIC_TYPES",
    "SKIPPED_TYPE",
    "NoSuchEdition",
    "editions",
    "public_billing",
    "public_catalog",
    "public_directory",
    "public_invoices",
    "public_licenses",
    "public_payments",
    "public_purchases",
    "types_of",
]
