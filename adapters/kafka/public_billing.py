"""What others may know of payment methods and billing profiles: that they are there and belong together.

Nothing of a card goes out, and of the payer only the country.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import BillTo, Own, PublicEvent, public, words
from domain.billing_profile import BalanceReason, BillingProfile, ProfileRole
from domain.payment_method import PaymentMethod


@public("seatledger.payment_method.payment_method_added.v1", of=PaymentMethod.PaymentMethodAdded)
class PaymentMethodAdded(PublicEvent):
    """Sent when a member stores another payment method.

    Nothing is charged to it until a profile says so.
    """

    payment_method_id: Annotated[UUID, Own]
    owner_id: UUID


@public("seatledger.payment_method.payment_method_removed.v1", of=PaymentMethod.PaymentMethodRemoved)
class PaymentMethodRemoved(PublicEvent):
    """Sent when a payment method is taken away.

    It is not charged any more.
    """

    payment_method_id: Annotated[UUID, Own]
    owner_id: UUID


# Billing profiles.


@public("seatledger.billing_profile.billing_profile_opened.v1", of=BillingProfile.BillingProfileOpened)
class BillingProfileOpened(PublicEvent):
    """Sent once for each billing profile.

    Purchases can be billed on it; the numbers of its documents begin with the prefix.
    """

    billing_profile_id: Annotated[UUID, Own]
    owner_id: UUID
    prefix: str
    currency: str
    currency_exponent: int
    payment_method_id: UUID
    bill_to: BillTo


@public("seatledger.billing_profile.profile_role_granted.v1", of=BillingProfile.ProfileRoleGranted)
class ProfileRoleGranted(PublicEvent):
    """Sent when a member may do something on a profile of somebody else.

    The role replaces the one that the member had there.
    """

    billing_profile_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(ProfileRole)]
    role_before: Annotated[str | None, words(ProfileRole)]


@public("seatledger.billing_profile.profile_role_revoked.v1", of=BillingProfile.ProfileRoleRevoked)
class ProfileRoleRevoked(PublicEvent):
    """Sent when a member no longer has a role on a profile."""

    billing_profile_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(ProfileRole)]


@public("seatledger.billing_profile.bill_to_changed.v1", of=BillingProfile.BillToChanged)
class BillToChanged(PublicEvent):
    """Sent when invoices are to be made out differently.

    It holds for the invoices to come, which this country taxes; an issued one never changes.
    """

    billing_profile_id: Annotated[UUID, Own]
    bill_to: BillTo
    country_before: str


@public("seatledger.billing_profile.payment_method_replaced.v1", of=BillingProfile.PaymentMethodReplaced)
class PaymentMethodReplaced(PublicEvent):
    """Sent when the profile charges another payment method.

    Refunds still go where the money came from.
    """

    billing_profile_id: Annotated[UUID, Own]
    payment_method_id: UUID
    payment_method_id_before: UUID


@public("seatledger.billing_profile.credit_balance_increased.v1", of=BillingProfile.CreditBalanceIncreased)
class CreditBalanceIncreased(PublicEvent):
    """Sent when what could not go back to a card is kept for the profile.

    Its next invoices take from it.
    """

    billing_profile_id: Annotated[UUID, Own]
    invoice_id: UUID
    amount_minor: int
    balance_minor: int
    currency: str
    reason: Annotated[str, words(BalanceReason)]


@public("seatledger.billing_profile.credit_balance_used.v1", of=BillingProfile.CreditBalanceUsed)
class CreditBalanceUsed(PublicEvent):
    """Sent when an invoice takes from the credit balance.

    The invoice says so too, as `CreditBalanceApplied`.
    """

    billing_profile_id: Annotated[UUID, Own]
    invoice_id: UUID
    amount_minor: int
    balance_minor: int
    currency: str
