"""Billing profiles: who is billed, who has a role there, and the cards that are stored. No token, no name."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent
from domain.payment_method import PaymentMethod
from projections.projection import Projection, Rows, Table, Touch

CardState = Literal["stored", "removed"]


class Profile(NamedTuple):
    """A billing profile as it stands."""

    organization_id: UUID
    billing_profile_id: UUID
    owner_id: UUID
    prefix: str
    currency: str
    currency_exponent: int
    payment_method_id: UUID
    country: str
    po_number: str | None
    balance_minor: int
    subscriptions: int
    invoices: int
    credit_notes: int
    opened_at: datetime
    last_position: int


class HeldRole(NamedTuple):
    """A role of a member on a profile; the owner has one too."""

    organization_id: UUID
    billing_profile_id: UUID
    member_id: UUID
    role: Literal["owner", "contributor", "invoice_manager", "reader"]


class Card(NamedTuple):
    """A payment method: what may be known of it."""

    organization_id: UUID
    payment_method_id: UUID
    owner_id: UUID
    provider: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int
    country: str
    state: CardState
    charged_by: int  # billing profiles
    added_at: datetime
    last_position: int
    version: int


PROFILES: Table[Profile] = Table(name="billing_profiles", row=Profile, key=("organization_id", "billing_profile_id"))
PROFILE_ROLES: Table[HeldRole] = Table(
    name="billing_profile_roles",
    row=HeldRole,
    key=("organization_id", "billing_profile_id", "member_id"),
    indexes=(("organization_id", "member_id", "billing_profile_id"),),
)
CARDS: Table[Card] = Table(
    name="payment_methods",
    row=Card,
    key=("organization_id", "payment_method_id"),
    indexes=(("organization_id", "owner_id", "state", "payment_method_id"),),
)


class BillingProfiles(Projection):
    """A row for each profile, each role on one, and each card."""

    name = "billing_profiles"
    version = 2
    tables = (PROFILES, PROFILE_ROLES, CARDS)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        BillingProfile.BillingProfileOpened,
        BillingProfile.ProfileRoleGranted,
        BillingProfile.ProfileRoleRevoked,
        BillingProfile.BillToChanged,
        BillingProfile.PurchaseOrderNumberSet,
        BillingProfile.PaymentMethodReplaced,
        BillingProfile.SubscriptionPutOnProfile,
        BillingProfile.SubscriptionTakenOffProfile,
        BillingProfile.InvoiceNumbered,
        BillingProfile.CreditNoteNumbered,
        BillingProfile.CreditBalanceIncreased,
        BillingProfile.CreditBalanceUsed,
        PaymentMethod.PaymentMethodAdded,
        PaymentMethod.PaymentMethodEdited,
        PaymentMethod.PaymentMethodAttached,
        PaymentMethod.PaymentMethodDetached,
        PaymentMethod.PaymentMethodRemoved,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        key = (recorded.organization_id, event.originator_id)
        match event:
            case BillingProfile.BillingProfileOpened() | PaymentMethod.PaymentMethodAdded():
                return
            case PaymentMethod.Event():
                yield CARDS, key
            case BillingProfile.ProfileRoleGranted() | BillingProfile.ProfileRoleRevoked():
                yield PROFILES, key
                yield PROFILE_ROLES, (*key, event.member_id)
            case _:
                yield PROFILES, key

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        key = (recorded.organization_id, event.originator_id)
        match event:
            case BillingProfile.BillingProfileOpened():
                rows.put(PROFILES, opened(recorded, event))
                rows.put(PROFILE_ROLES, HeldRole(*key, event.owner_id, "owner"))
            case PaymentMethod.PaymentMethodAdded():
                rows.put(CARDS, added(recorded, event))
            case PaymentMethod.Event():
                if card := rows.get(CARDS, key):
                    seen = {"last_position": recorded.position, "version": recorded.originator_version}
                    rows.change(CARDS, key, **seen, **changed_card(card, event))
            case _:
                fold_role(rows, key, event)
                if profile := rows.get(PROFILES, key):
                    rows.change(PROFILES, key, last_position=recorded.position, **changed_profile(profile, event))


def opened(recorded: RecordedEvent, event: BillingProfile.BillingProfileOpened) -> Profile:
    return Profile(
        organization_id=recorded.organization_id,
        billing_profile_id=event.originator_id,
        owner_id=event.owner_id,
        prefix=event.prefix,
        currency=event.currency,
        currency_exponent=event.currency_exponent,
        payment_method_id=event.payment_method_id,
        country=event.bill_to.country,
        po_number=None,
        balance_minor=0,
        subscriptions=0,
        invoices=0,
        credit_notes=0,
        opened_at=recorded.envelope.effective_at,
        last_position=recorded.position,
    )


def added(recorded: RecordedEvent, event: PaymentMethod.PaymentMethodAdded) -> Card:
    card = event.card
    return Card(
        organization_id=recorded.organization_id,
        payment_method_id=event.originator_id,
        owner_id=event.owner_id,
        provider=card.provider,
        brand=card.brand,
        last4=card.last4,
        expiry_month=card.expiry.month,
        expiry_year=card.expiry.year,
        country=card.country,
        state="stored",
        charged_by=0,
        added_at=recorded.envelope.effective_at,
        last_position=recorded.position,
        version=recorded.originator_version,
    )


def fold_role(rows: Rows, key: tuple[UUID, UUID], event: Any) -> None:
    match event:
        case BillingProfile.ProfileRoleGranted():
            rows.put(PROFILE_ROLES, HeldRole(*key, event.member_id, event.role))
        case BillingProfile.ProfileRoleRevoked():
            rows.delete(PROFILE_ROLES, (*key, event.member_id))
        case _:
            pass


def changed_profile(profile: Profile, event: Any) -> dict[str, Any]:  # noqa: PLR0911 - a table of events
    """The columns that an event sets."""
    match event:
        case BillingProfile.BillToChanged():
            return {"country": event.bill_to.country}
        case BillingProfile.PurchaseOrderNumberSet():
            return {"po_number": event.po_number}
        case BillingProfile.PaymentMethodReplaced():
            return {"payment_method_id": event.payment_method_id}
        case BillingProfile.SubscriptionPutOnProfile():
            return {"subscriptions": profile.subscriptions + 1}
        case BillingProfile.SubscriptionTakenOffProfile():
            return {"subscriptions": profile.subscriptions - 1}
        case BillingProfile.InvoiceNumbered():
            return {"invoices": event.count}
        case BillingProfile.CreditNoteNumbered():
            return {"credit_notes": event.count}
        case BillingProfile.CreditBalanceIncreased() | BillingProfile.CreditBalanceUsed():
            return {"balance_minor": event.balance_minor}
        case _:
            return {}  # its roles have a table of their own


def changed_card(card: Card, event: Any) -> dict[str, Any]:
    """The columns that an event sets."""
    match event:
        case PaymentMethod.PaymentMethodEdited():
            return {"expiry_month": event.expiry.month, "expiry_year": event.expiry.year}
        case PaymentMethod.PaymentMethodAttached():
            return {"charged_by": card.charged_by + 1}
        case PaymentMethod.PaymentMethodDetached():
            return {"charged_by": card.charged_by - 1}
        case _:
            return {"state": "removed"}
