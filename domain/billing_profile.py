"""BillingProfile: who is billed for what, by which card, with which numbers, and what the house owes them."""

import hashlib
from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import Field

from domain.kernel import Aggregate, AggregateBorn, Value
from domain.personal import FactRef
from domain.refusals import BillingProfileRoleNeeded, PurchaseOrderNumberUnusable

ProfileRole = Literal["contributor", "invoice_manager", "reader"]  # beside the owner
ProfileAct = Literal["see", "pay", "charge", "manage"]
BalanceReason = Literal["refund_failed", "not_refundable"]

MAY: dict[ProfileAct, frozenset[str]] = {
    "see": frozenset({"owner", "contributor", "invoice_manager", "reader"}),
    "pay": frozenset({"owner", "contributor", "invoice_manager"}),
    "charge": frozenset({"owner", "contributor"}),  # buy on it, change its card, bill-to and PO number
    "manage": frozenset({"owner"}),  # give and take roles
}

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letter that is read as another
PREFIX_LETTERS, PREFIX_BITS = 12, 60


class BillTo(Value):
    """Who an invoice is made out to. The country decides the tax; the rest are personal facts."""

    country: str = Field(pattern="^[A-Z]{2}$")
    name: FactRef | None = None
    address: FactRef | None = None
    tax_id: FactRef | None = None


class BillingProfile(Aggregate):
    """Belongs to a member, others have roles on it. It numbers its documents without a gap and has a credit balance."""

    TOPIC: ClassVar[str] = "seatledger.BillingProfile"

    class BillingProfileOpened(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.BillingProfileOpened"
        owner_id: UUID
        prefix: str  # of its documents' numbers
        currency: str
        currency_exponent: int
        payment_method_id: UUID
        bill_to: BillTo

    class ProfileRoleGranted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.ProfileRoleGranted"
        member_id: UUID
        role: ProfileRole
        role_before: ProfileRole | None

    class ProfileRoleRevoked(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.ProfileRoleRevoked"
        member_id: UUID
        role: ProfileRole

    class BillToChanged(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.BillToChanged"
        bill_to: BillTo
        country_before: str

    class PurchaseOrderNumberSet(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.PurchaseOrderNumberSet"
        po_number: str | None
        po_number_before: str | None

    class PaymentMethodReplaced(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.PaymentMethodReplaced"
        payment_method_id: UUID
        payment_method_id_before: UUID

    class SubscriptionPutOnProfile(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.SubscriptionPutOnProfile"
        subscription_id: UUID

    class SubscriptionTakenOffProfile(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.SubscriptionTakenOffProfile"
        subscription_id: UUID

    class InvoiceNumbered(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.InvoiceNumbered"
        invoice_id: UUID
        number: str
        count: int  # of its invoices, with this one
        settled: tuple[UUID, ...]  # earlier invoices that need nothing any more

    class CreditNoteNumbered(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.CreditNoteNumbered"
        credit_note_id: UUID
        invoice_id: UUID
        number: str
        count: int  # of its credit notes, with this one

    class InvoiceReopened(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.InvoiceReopened"
        invoice_id: UUID

    class CreditBalanceIncreased(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.CreditBalanceIncreased"
        invoice_id: UUID
        amount_minor: int
        balance_minor: int  # with it
        currency: str
        reason: BalanceReason

    class CreditBalanceUsed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.BillingProfile.CreditBalanceUsed"
        invoice_id: UUID
        amount_minor: int
        balance_minor: int  # without it
        currency: str

    class State(Aggregate.State):
        owner_id: UUID
        prefix: str
        currency: str
        currency_exponent: int
        payment_method_id: UUID
        bill_to: BillTo
        po_number: str | None
        roles: dict[UUID, ProfileRole]
        subscriptions: list[UUID]
        open_invoices: list[UUID]
        invoices: int
        credit_notes: int
        balance_minor: int

    @classmethod
    def open(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        owner_id: UUID,
        currency: str,
        currency_exponent: int,
        payment_method_id: UUID,
        bill_to: BillTo,
    ) -> "BillingProfile":
        return cls.born(
            cls.BillingProfileOpened,
            id=id,
            owner_id=owner_id,
            prefix=prefix_of(id),
            currency=currency,
            currency_exponent=currency_exponent,
            payment_method_id=payment_method_id,
            bill_to=bill_to,
        )

    # What may be asked.

    def role_of(self, member_id: UUID) -> str | None:
        return "owner" if member_id == self.owner_id else self.roles.get(member_id)

    def allows(self, member_id: UUID, act: ProfileAct) -> bool:
        return self.role_of(member_id) in MAY[act]

    def refuse_unless(self, member_id: UUID, act: ProfileAct) -> None:
        if not self.allows(member_id, act):
            raise BillingProfileRoleNeeded(billing_profile_id=self.id, roles=sorted(MAY[act]))

    @property
    def next_number(self) -> str:
        """The number that the next invoice gets."""
        return f"{self.prefix}-{self.invoices + 1:06}"

    @property
    def next_credit_note_number(self) -> str:
        """Credit notes have a series of their own."""
        return f"{self.prefix}-C{self.credit_notes + 1:05}"

    # Commands decide. Repeating one tells nothing.

    def grant(self, member_id: UUID, role: ProfileRole) -> None:
        before = self.roles.get(member_id)
        if member_id != self.owner_id and role != before:
            self.tell(self.ProfileRoleGranted, member_id=member_id, role=role, role_before=before)

    def revoke(self, member_id: UUID) -> None:
        if role := self.roles.get(member_id):
            self.tell(self.ProfileRoleRevoked, member_id=member_id, role=role)

    def change_bill_to(self, bill_to: BillTo) -> None:
        """For the invoices to come; an issued one never changes."""
        if bill_to != self.bill_to:
            self.tell(self.BillToChanged, bill_to=bill_to, country_before=self.bill_to.country)

    def set_po_number(self, po_number: str | None) -> None:
        if po_number is not None and not po_number.strip():
            raise PurchaseOrderNumberUnusable(po_number=po_number)
        if po_number != self.po_number:
            self.tell(self.PurchaseOrderNumberSet, po_number=po_number, po_number_before=self.po_number)

    def replace_payment_method(self, payment_method_id: UUID) -> None:
        if payment_method_id != self.payment_method_id:
            self.tell(
                self.PaymentMethodReplaced,
                payment_method_id=payment_method_id,
                payment_method_id_before=self.payment_method_id,
            )

    def put_on(self, subscription_id: UUID) -> None:
        if subscription_id not in self.subscriptions:
            self.tell(self.SubscriptionPutOnProfile, subscription_id=subscription_id)

    def take_off(self, subscription_id: UUID) -> None:
        if subscription_id in self.subscriptions:
            self.tell(self.SubscriptionTakenOffProfile, subscription_id=subscription_id)

    def number_invoice(self, invoice_id: UUID, *, settled: tuple[UUID, ...]) -> str:
        """Gives the next number to an invoice, and lets go of those that are settled."""
        number = self.next_number
        self.tell(self.InvoiceNumbered, invoice_id=invoice_id, number=number, count=self.invoices + 1, settled=settled)
        return number

    def number_credit_note(self, credit_note_id: UUID, invoice_id: UUID) -> str:
        number = self.next_credit_note_number
        self.tell(
            self.CreditNoteNumbered,
            credit_note_id=credit_note_id,
            invoice_id=invoice_id,
            number=number,
            count=self.credit_notes + 1,
        )
        return number

    def reopen(self, invoice_id: UUID) -> None:
        """Something is open again on an invoice that was let go of."""
        if invoice_id not in self.open_invoices:
            self.tell(self.InvoiceReopened, invoice_id=invoice_id)

    def increase_balance(self, amount_minor: int, *, invoice_id: UUID, reason: BalanceReason) -> None:
        if amount_minor:
            self.tell(
                self.CreditBalanceIncreased,
                invoice_id=invoice_id,
                amount_minor=amount_minor,
                balance_minor=self.balance_minor + amount_minor,
                currency=self.currency,
                reason=reason,
            )

    def use_balance(self, amount_minor: int, *, invoice_id: UUID) -> None:
        if amount_minor:
            self.tell(
                self.CreditBalanceUsed,
                invoice_id=invoice_id,
                amount_minor=amount_minor,
                balance_minor=self.balance_minor - amount_minor,
                currency=self.currency,
            )

    # Events apply. No rule below this line: history must always replay.

    @event(BillingProfileOpened)
    def __init__(
        self,
        *,
        owner_id: UUID,
        prefix: str,
        currency: str,
        currency_exponent: int,
        payment_method_id: UUID,
        bill_to: BillTo,
    ) -> None:
        self.owner_id = owner_id
        self.prefix = prefix
        self.currency = currency
        self.currency_exponent = currency_exponent
        self.payment_method_id = payment_method_id
        self.bill_to = bill_to
        self.po_number: str | None = None
        self.roles: dict[UUID, ProfileRole] = {}
        self.subscriptions: list[UUID] = []
        self.open_invoices: list[UUID] = []
        self.invoices = 0
        self.credit_notes = 0
        self.balance_minor = 0

    @event(ProfileRoleGranted)
    def _role_granted(self, member_id: UUID, role: ProfileRole) -> None:
        self.roles[member_id] = role

    @event(ProfileRoleRevoked)
    def _role_revoked(self, member_id: UUID) -> None:
        del self.roles[member_id]

    @event(BillToChanged)
    def _bill_to_changed(self, bill_to: BillTo) -> None:
        self.bill_to = bill_to

    @event(PurchaseOrderNumberSet)
    def _po_number_set(self, po_number: str | None) -> None:
        self.po_number = po_number

    @event(PaymentMethodReplaced)
    def _payment_method_replaced(self, payment_method_id: UUID) -> None:
        self.payment_method_id = payment_method_id

    @event(SubscriptionPutOnProfile)
    def _put_on(self, subscription_id: UUID) -> None:
        self.subscriptions.append(subscription_id)

    @event(SubscriptionTakenOffProfile)
    def _taken_off(self, subscription_id: UUID) -> None:
        self.subscriptions.remove(subscription_id)

    @event(InvoiceNumbered)
    def _invoice_numbered(self, invoice_id: UUID, count: int, settled: tuple[UUID, ...]) -> None:
        self.invoices = count
        self.open_invoices = [standing for standing in self.open_invoices if standing not in settled]
        self.open_invoices.append(invoice_id)

    @event(CreditNoteNumbered)
    def _credit_note_numbered(self, count: int) -> None:
        self.credit_notes = count

    @event(InvoiceReopened)
    def _reopened(self, invoice_id: UUID) -> None:
        self.open_invoices.append(invoice_id)

    @event(CreditBalanceIncreased)
    def _balance_increased(self, balance_minor: int) -> None:
        self.balance_minor = balance_minor

    @event(CreditBalanceUsed)
    def _balance_used(self, balance_minor: int) -> None:
        self.balance_minor = balance_minor


def prefix_of(profile_id: UUID) -> str:
    """The prefix of a profile's document numbers: 60 bits of its id, in letters that people can dictate."""
    bits = int.from_bytes(hashlib.sha256(b"seatledger.prefix.1" + profile_id.bytes).digest()) >> (256 - PREFIX_BITS)
    letters = "".join(CROCKFORD[bits >> 5 * place & 31] for place in reversed(range(PREFIX_LETTERS)))
    return f"{letters[:6]}-{letters[6:]}"
