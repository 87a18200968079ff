"""Invoice: what was charged, line by line. Once issued it never changes: credit notes amend it, payments settle it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.billing_profile import BillTo
from domain.invoice_line import CreditLine, InvoiceLine, LineStanding, Removal
from domain.kernel import Aggregate, AggregateBorn, Value
from domain.tax import TaxRate

InvoiceState = Literal["open", "paid", "past_due", "uncollectible"]
InvoiceReason = Literal["purchase", "increase", "renewal"]
CreditReason = Literal["licenses_removed", "cancelled", "grace_ended"]

RETRY_DAYS = (3, 7, 14, 21, 30)  # after the first recorded attempt; the last one ends the grace


class Claim(Value):
    """An amount of a payment of this invoice: given back, or disputed."""

    payment_id: UUID
    amount_minor: int
    lost: bool = False  # of a dispute: for good


class Invoice(Aggregate):
    """Belongs to a billing profile. total = credits + paid + due, always."""

    TOPIC: ClassVar[str] = "seatledger.Invoice"

    class InvoiceIssued(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Invoice.InvoiceIssued"
        billing_profile_id: UUID
        number: str
        reason: InvoiceReason
        issued_on: date  # recorded, and printed
        due_on: date  # the day that it is charged for, which decides the tax
        bill_to: BillTo
        po_number: str | None
        currency: str
        currency_exponent: int
        lines: tuple[InvoiceLine, ...]
        tax_rate: TaxRate
        net_minor: int
        tax_minor: int
        total_minor: int
        state: InvoiceState

    class CreditBalanceApplied(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CreditBalanceApplied"
        billing_profile_id: UUID
        amount_minor: int
        currency: str
        due_minor: int
        state: InvoiceState

    class CollectionStarted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CollectionStarted"
        payment_id: UUID
        amount_minor: int

    class PaymentReceived(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.PaymentReceived"
        billing_profile_id: UUID
        payment_id: UUID
        amount_minor: int
        currency: str
        due_minor: int
        state: InvoiceState

    class CollectionFailed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CollectionFailed"
        billing_profile_id: UUID
        payment_id: UUID
        code: str
        attempted_on: date
        first_attempted_on: date
        retry_on: date | None  # none: the last attempt was made
        due_minor: int
        currency: str
        state: InvoiceState

    class CollectionEnded(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CollectionEnded"
        payment_id: UUID

    class CollectionDeferred(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CollectionDeferred"
        billing_profile_id: UUID
        due_minor: int  # less than the provider moves: it waits for the next charge
        currency: str
        state: InvoiceState

    class CreditNoteIssued(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.CreditNoteIssued"
        billing_profile_id: UUID
        credit_note_id: UUID
        number: str
        invoice_number: str
        reason: CreditReason
        issued_on: date
        currency: str
        lines: tuple[CreditLine, ...]
        tax_rate: TaxRate  # the invoice's own
        net_minor: int
        tax_minor: int
        total_minor: int
        due_minor: int  # with it; negative: owed to the payer
        state: InvoiceState

    class RefundCounted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.RefundCounted"
        billing_profile_id: UUID
        payment_id: UUID
        refund_id: UUID
        amount_minor: int
        currency: str
        due_minor: int

    class RefundReversed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.RefundReversed"
        billing_profile_id: UUID
        payment_id: UUID
        refund_id: UUID
        amount_minor: int
        currency: str
        due_minor: int

    class MovedToCreditBalance(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.MovedToCreditBalance"
        billing_profile_id: UUID
        amount_minor: int
        currency: str
        due_minor: int

    class PaymentDisputed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.PaymentDisputed"
        billing_profile_id: UUID
        payment_id: UUID
        dispute_id: str
        amount_minor: int
        currency: str
        due_minor: int
        state: InvoiceState

    class DisputeClosed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.DisputeClosed"
        billing_profile_id: UUID
        payment_id: UUID
        dispute_id: str
        outcome: Literal["won", "lost"]
        amount_minor: int
        currency: str
        due_minor: int
        state: InvoiceState

    class InvoiceWrittenOff(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Invoice.InvoiceWrittenOff"
        billing_profile_id: UUID
        written_off_on: date
        due_minor: int
        currency: str
        state: InvoiceState

    class State(Aggregate.State):
        billing_profile_id: UUID
        number: str
        currency: str
        currency_exponent: int
        issued_on: date
        due_on: date
        lines: tuple[InvoiceLine, ...]
        standings: dict[int, LineStanding]
        tax_rate: TaxRate
        net_minor: int
        tax_minor: int
        total_minor: int
        status: InvoiceState
        credited_net_minor: int
        credited_tax_minor: int
        received: dict[UUID, int]
        refunded: dict[UUID, Claim]
        disputed: dict[str, Claim]
        balance_applied_minor: int
        moved_minor: int
        collected_by: UUID | None
        payments: int
        first_attempted_on: date | None
        retry_on: date | None

    @classmethod
    def issue(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        lines: Sequence[InvoiceLine],
        tax_rate: TaxRate,
        **facts: Any,
    ) -> "Invoice":
        """One rounding of the tax for the document. An invoice of nothing is settled as it is."""
        net = sum(line.amount_minor for line in lines)
        tax = tax_rate.on(net)
        return cls.born(
            cls.InvoiceIssued,
            id=id,
            lines=tuple(lines),
            tax_rate=tax_rate,
            net_minor=net,
            tax_minor=tax,
            total_minor=net + tax,
            state="open" if net + tax else "paid",
            **facts,
        )

    # What may be asked.

    @property
    def credited_minor(self) -> int:
        return self.credited_net_minor + self.credited_tax_minor

    @property
    def paid_minor(self) -> int:
        """Captures less refunds and disputes open or lost, with what the credit balance gave and less what it took."""
        given_back = sum(claim.amount_minor for claim in (*self.refunded.values(), *self.disputed.values()))
        return sum(self.received.values()) - given_back + self.balance_applied_minor - self.moved_minor

    @property
    def due_minor(self) -> int:
        return self.total_minor - self.credited_minor - self.paid_minor

    @property
    def wants_nothing(self) -> bool:
        """Nothing is due, on its way or still to be tried: the profile may let go of it."""
        return self.collected_by is None and (self.due_minor == 0 or self.status == "uncollectible")

    @property
    def grace_ends_on(self) -> date | None:
        """The day of the last attempt."""
        return self.first_attempted_on and self.first_attempted_on + timedelta(days=RETRY_DAYS[-1])

    def line(self, number: int) -> InvoiceLine:
        return self.lines[number - 1]

    def credit_of(self, removals: Sequence[Removal]) -> list[CreditLine]:
        """What taking licenses back would credit, line by line (F3)."""
        standings = dict(self.standings)
        credits_of_lines = []
        for removal in removals:
            line, standing = self.line(removal.line), standings[removal.line]
            left = standing.quantity - removal.licenses
            credit = line.amount(standing.quantity, removal.days) - line.amount(left, removal.days)
            credit = min(credit, line.amount_minor - standing.credited_minor)  # a line gives back what it charged
            standings[removal.line] = LineStanding(
                quantity=left,
                days=min(standing.days, removal.days),
                credited_minor=standing.credited_minor + credit,
            )
            credits_of_lines.append(
                CreditLine(
                    line=removal.line,
                    quantity_before=standing.quantity,
                    quantity=left,
                    days=removal.days,
                    amount_minor=credit,
                )
            )
        return credits_of_lines

    def tax_of_credit(self, net_minor: int) -> int:
        """The tax left before a credit less the tax left after it, at the invoice's own rate."""
        before = self.net_minor - self.credited_net_minor
        return self.tax_rate.on(before) - self.tax_rate.on(before - net_minor)

    # Commands decide. Repeating one tells nothing.

    def apply_balance(self, amount_minor: int) -> None:
        if amount_minor:
            self._tell_settled(self.CreditBalanceApplied, amount_minor)

    def start_collection(self, payment_id: UUID, amount_minor: int) -> None:
        if self.collected_by != payment_id:
            self.tell(self.CollectionStarted, payment_id=payment_id, amount_minor=amount_minor)

    def receive(self, payment_id: UUID, amount_minor: int) -> None:
        if payment_id not in self.received:
            self._tell_settled(self.PaymentReceived, amount_minor, payment_id=payment_id)

    def fail_collection(self, payment_id: UUID, code: str, on: date) -> None:
        """A charge failed: the invoice is past due and tried again, unless a bank took back what was paid."""
        if self.collected_by != payment_id:
            return
        if self.due_minor <= 0:  # all was credited while the charge was under way
            self.end_collection(payment_id)
            return
        first = self.first_attempted_on or on
        coming = [first + timedelta(days=days) for days in RETRY_DAYS if first + timedelta(days=days) > on]
        state: InvoiceState = "uncollectible" if self.status == "uncollectible" else "past_due"
        self.tell(
            self.CollectionFailed,
            payment_id=payment_id,
            code=code,
            attempted_on=on,
            first_attempted_on=first,
            retry_on=coming[0] if coming and not self.disputed else None,
            due_minor=self.due_minor,
            state=state,
            **self._whose(),
        )

    def end_collection(self, payment_id: UUID) -> None:
        """A payment that it went along with failed, or was let go of: it waits for the next one."""
        if self.collected_by == payment_id:
            self.tell(self.CollectionEnded, payment_id=payment_id)

    def defer_collection(self) -> None:
        """What is left is too small to be charged alone: nobody is past due for it."""
        if self.status == "past_due":
            self.tell(self.CollectionDeferred, due_minor=self.due_minor, state="open", **self._whose())

    def credit(
        self,
        removals: Sequence[Removal],
        *,
        credit_note_id: UUID,
        number: str,
        reason: CreditReason,
        issued_on: date,
    ) -> None:
        """Takes licenses back from lines, with one credit note."""
        lines = self.credit_of(removals)
        net = sum(line.amount_minor for line in lines)
        tax = self.tax_of_credit(net)
        due = self.due_minor - net - tax
        self.tell(
            self.CreditNoteIssued,
            credit_note_id=credit_note_id,
            number=number,
            invoice_number=self.number,
            reason=reason,
            issued_on=issued_on,
            lines=tuple(lines),
            tax_rate=self.tax_rate,
            net_minor=net,
            tax_minor=tax,
            total_minor=net + tax,
            due_minor=due,
            state=self._state_with(due),
            **self._whose(),
        )

    def count_refund(self, payment_id: UUID, refund_id: UUID, amount_minor: int) -> None:
        """A refund counts from its request."""
        if refund_id not in self.refunded:
            self.tell(
                self.RefundCounted,
                payment_id=payment_id,
                refund_id=refund_id,
                amount_minor=amount_minor,
                due_minor=self.due_minor + amount_minor,
                **self._whose(),
            )

    def reverse_refund(self, refund_id: UUID) -> None:
        """A refund failed: what it counted is owed again."""
        if claim := self.refunded.get(refund_id):
            self.tell(
                self.RefundReversed,
                payment_id=claim.payment_id,
                refund_id=refund_id,
                amount_minor=claim.amount_minor,
                due_minor=self.due_minor - claim.amount_minor,
                **self._whose(),
            )

    def move_to_balance(self, amount_minor: int) -> None:
        if amount_minor:
            due = self.due_minor + amount_minor
            self.tell(self.MovedToCreditBalance, amount_minor=amount_minor, due_minor=due, **self._whose())

    def dispute(self, payment_id: UUID, dispute_id: str, amount_minor: int) -> None:
        """The bank took it back: the invoice is open again, and nobody is in grace for it."""
        if dispute_id not in self.disputed:
            due = self.due_minor + amount_minor
            self.tell(
                self.PaymentDisputed,
                payment_id=payment_id,
                dispute_id=dispute_id,
                amount_minor=amount_minor,
                due_minor=due,
                state="open" if due > 0 else self.status,
                **self._whose(),
            )

    def close_dispute(self, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
        claim = self.disputed.get(dispute_id)
        if claim is None or claim.lost:
            return
        due = self.due_minor - claim.amount_minor * (outcome == "won")
        self.tell(
            self.DisputeClosed,
            payment_id=claim.payment_id,
            dispute_id=dispute_id,
            outcome=outcome,
            amount_minor=claim.amount_minor,
            due_minor=due,
            state=self._state_with(due) if outcome == "won" or due <= 0 else "past_due",
            **self._whose(),
        )

    def write_off(self, on: date) -> None:
        """What is due is given up; it can still be paid."""
        if self.due_minor > 0 and self.status != "uncollectible":
            self.tell(
                self.InvoiceWrittenOff,
                written_off_on=on,
                due_minor=self.due_minor,
                state="uncollectible",
                **self._whose(),
            )

    def _state_with(self, due_minor: int) -> InvoiceState:
        return "paid" if due_minor <= 0 else ("open" if self.status == "paid" else self.status)

    def _whose(self) -> dict[str, Any]:
        return {"billing_profile_id": self.billing_profile_id, "currency": self.currency}

    def _tell_settled(self, kind: type[Aggregate.Event], amount_minor: int, **facts: Any) -> None:
        due = self.due_minor - amount_minor
        facts |= self._whose()
        self.tell(kind, amount_minor=amount_minor, due_minor=due, state=self._state_with(due), **facts)

    # Events apply. No rule below this line: history must always replay.

    @event(InvoiceIssued)
    def __init__(
        self,
        *,
        billing_profile_id: UUID,
        number: str,
        issued_on: date,
        due_on: date,
        currency: str,
        currency_exponent: int,
        lines: tuple[InvoiceLine, ...],
        tax_rate: TaxRate,
        net_minor: int,
        tax_minor: int,
        total_minor: int,
        state: InvoiceState,
    ) -> None:
        self.billing_profile_id = billing_profile_id
        self.number = number
        self.currency = currency
        self.currency_exponent = currency_exponent
        self.issued_on = issued_on
        self.due_on = due_on
        self.lines = lines
        self.standings = {
            line.number: LineStanding(quantity=line.quantity, days=line.days, credited_minor=0) for line in lines
        }
        self.tax_rate = tax_rate
        self.net_minor = net_minor
        self.tax_minor = tax_minor
        self.total_minor = total_minor
        self.status: InvoiceState = state
        self.credited_net_minor = 0
        self.credited_tax_minor = 0
        self.received: dict[UUID, int] = {}
        self.refunded: dict[UUID, Claim] = {}
        self.disputed: dict[str, Claim] = {}
        self.balance_applied_minor = 0
        self.moved_minor = 0
        self.collected_by: UUID | None = None
        self.payments = 0
        self.first_attempted_on: date | None = None
        self.retry_on: date | None = None

    @event(CreditBalanceApplied)
    def _balance_applied(self, amount_minor: int, state: InvoiceState) -> None:
        self.balance_applied_minor += amount_minor
        self.status = state

    @event(CollectionStarted)
    def _collection_started(self, payment_id: UUID) -> None:
        self.collected_by = payment_id

    @event(PaymentReceived)
    def _received(self, payment_id: UUID, amount_minor: int, state: InvoiceState) -> None:
        self.received[payment_id] = amount_minor
        self.status = state
        self.payments += 1
        self.collected_by = None
        self.first_attempted_on = None
        self.retry_on = None

    @event(CollectionFailed)
    def _collection_failed(self, first_attempted_on: date, retry_on: date | None, state: InvoiceState) -> None:
        self.collected_by = None
        self.first_attempted_on = first_attempted_on
        self.retry_on = retry_on
        self.status = state

    @event(CollectionEnded)
    def _collection_ended(self) -> None:
        self.collected_by = None

    @event(CollectionDeferred)
    def _collection_deferred(self, state: InvoiceState) -> None:
        self.first_attempted_on = None
        self.retry_on = None
        self.status = state

    @event(CreditNoteIssued)
    def _credited(self, lines: tuple[CreditLine, ...], net_minor: int, tax_minor: int, state: InvoiceState) -> None:
        for credit in lines:
            standing = self.standings[credit.line]
            self.standings[credit.line] = LineStanding(
                quantity=credit.quantity,
                days=min(standing.days, credit.days),
                credited_minor=standing.credited_minor + credit.amount_minor,
            )
        self.credited_net_minor += net_minor
        self.credited_tax_minor += tax_minor
        self.status = state

    @event(RefundCounted)
    def _refund_counted(self, payment_id: UUID, refund_id: UUID, amount_minor: int) -> None:
        self.refunded[refund_id] = Claim(payment_id=payment_id, amount_minor=amount_minor)

    @event(RefundReversed)
    def _refund_reversed(self, refund_id: UUID) -> None:
        del self.refunded[refund_id]

    @event(MovedToCreditBalance)
    def _moved_to_balance(self, amount_minor: int) -> None:
        self.moved_minor += amount_minor

    @event(PaymentDisputed)
    def _disputed(self, payment_id: UUID, dispute_id: str, amount_minor: int, state: InvoiceState) -> None:
        self.disputed[dispute_id] = Claim(payment_id=payment_id, amount_minor=amount_minor)
        self.status = state

    @event(DisputeClosed)
    def _dispute_closed(self, dispute_id: str, outcome: Literal["won", "lost"], state: InvoiceState) -> None:
        lost = self.disputed.pop(dispute_id).model_copy(update={"lost": True})
        self.disputed |= {"won": {}, "lost": {dispute_id: lost}}[outcome]
        self.status = state

    @event(InvoiceWrittenOff)
    def _written_off(self, state: InvoiceState) -> None:
        self.status = state
        self.retry_on = None
