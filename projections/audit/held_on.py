"""Reads who held what on a day, and what was charged and paid for it, out of one organization's events."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from domain.calendar import Period
from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.invoice_line import InvoiceLine
from domain.kernel import PydanticMapper
from domain.license_pool import LicensePool
from domain.payment import Payment
from domain.subscription import Subscription
from projections.audit.arithmetic import mixed
from projections.audit.held import CoveringInvoice, CoveringLine, HeldOn, Holder, PaidBy

BALANCE = "credit balance"


def held_on(
    events: Iterable[RecordedEvent], mapper: PydanticMapper, day: date, subscription_id: UUID | None = None
) -> list[HeldOn]:
    """Every subscription that had licenses on a UTC day, or the one; from the organization's events, in order.

    Who held a license on the day goes by when things took effect. Charges and payments are those of all these events.
    """
    reading = Reading(day, subscription_id)
    for event in events:
        if (read := READS.get(event.topic)) is not None:
            read(reading, event, mapper.to_domain_event(event))
    return list(reading.told())


@dataclass
class Sold:
    """What is known of a subscription on the day."""

    subscription_id: UUID
    pool_id: UUID
    product_id: str
    product_name: str
    purchaser_id: UUID
    billing_profile_id: UUID
    purchased_at: datetime
    licenses: int = 0
    closed_at: datetime | None = None
    open: dict[UUID, datetime] = field(default_factory=dict)  # holders, since when
    holders: list[Holder] = field(default_factory=list)  # of the day, whose assignments have ended


@dataclass
class Paid:
    """What has become of an invoice."""

    issued: Invoice.InvoiceIssued
    lines: dict[int, InvoiceLine]  # that cover the day
    licenses: dict[int, int]  # of them, on the day
    credited_minor: int = 0
    due_minor: int = 0
    received: dict[UUID | None, tuple[int, datetime]] = field(default_factory=dict)  # by payment; None: the balance

    def move(self, payment_id: UUID | None, amount_minor: int, at: datetime) -> None:
        before, since = self.received.get(payment_id, (0, at))
        self.received[payment_id] = before + amount_minor, since
        self.due_minor -= amount_minor


class Reading:
    """What one organization's events say about a day."""

    def __init__(self, day: date, subscription_id: UUID | None) -> None:
        self.day, self.subscription_id = day, subscription_id
        self.since = datetime.combine(day, time(), UTC)
        self.until = self.since + timedelta(days=1)
        self.sold: dict[UUID, Sold] = {}  # by subscription
        self.invoices: dict[UUID, Paid] = {}
        self.methods: dict[UUID, UUID] = {}  # by payment: by which method it was captured

    # Subscriptions and who holds their licenses.

    def purchased(self, recorded: RecordedEvent, event: Subscription.SubscriptionPurchased) -> None:
        if self.subscription_id in {None, recorded.originator_id} and recorded.effective_at < self.until:
            self.sold[recorded.originator_id] = Sold(
                subscription_id=recorded.originator_id,
                pool_id=event.pool_id,
                product_id=event.product.product_id,
                product_name=event.product.name,
                purchaser_id=event.purchaser_id,
                billing_profile_id=event.billing_profile_id,
                purchased_at=recorded.effective_at,
            )

    def adopted(self, recorded: RecordedEvent, event: Subscription.SubscriptionAdopted) -> None:
        if (sold := self.sold.get(recorded.originator_id)) and recorded.effective_at < self.until:
            sold.purchaser_id, sold.billing_profile_id = event.purchaser_id, event.billing_profile_id

    def sized(self, recorded: RecordedEvent, event: Any) -> None:
        if (sold := self.sold.get(event.subscription_id)) and recorded.effective_at < self.until:
            sold.licenses = event.total

    def assigned(self, recorded: RecordedEvent, event: LicensePool.LicenseAssigned) -> None:
        if (sold := self.sold.get(event.subscription_id)) and (at := recorded.effective_at) < self.until:
            sold.open[event.member_id] = at

    def unassigned(self, recorded: RecordedEvent, event: LicensePool.LicenseUnassigned) -> None:
        if sold := self.sold.get(event.subscription_id):
            self.end(sold, event.member_id, recorded.effective_at, event.reason)

    def closed(self, recorded: RecordedEvent, event: LicensePool.LicensePoolClosed) -> None:
        if sold := self.sold.get(event.subscription_id):
            sold.closed_at = recorded.effective_at
            for member_id in list(sold.open):
                self.end(sold, member_id, recorded.effective_at, event.reason)

    def end(self, sold: Sold, member_id: UUID, at: datetime, reason: str) -> None:
        """An assignment that ended before the day is none of it; nor is one that began after it."""
        if (since := sold.open.pop(member_id, None)) is not None and at > self.since:
            sold.holders.append(Holder(member_id=member_id, since=since, until=at, end_reason=reason))

    # Invoices and what became of them.

    def issued(self, recorded: RecordedEvent, event: Invoice.InvoiceIssued) -> None:
        covering = {
            line.number: line
            for line in event.lines
            if self.day in line.period and self.subscription_id in {None, line.subscription_id}
        }
        if covering:
            licenses = {number: line.quantity for number, line in covering.items()}
            self.invoices[recorded.originator_id] = Paid(event, covering, licenses, due_minor=event.total_minor)

    def credited(self, recorded: RecordedEvent, event: Invoice.CreditNoteIssued) -> None:
        """Licenses are given back for the last days of a line: on a day before, they were charged for."""
        if paid := self.invoices.get(recorded.originator_id):
            paid.credited_minor += event.total_minor
            paid.due_minor -= event.total_minor
            for credit in event.lines:
                line = paid.lines.get(credit.line)
                if line and self.day >= line.period.end - timedelta(days=credit.days):
                    paid.licenses[credit.line] = min(paid.licenses[credit.line], credit.quantity)

    def moved(self, recorded: RecordedEvent, event: Any) -> None:
        if paid := self.invoices.get(recorded.originator_id):
            sign, of_payment = MOVES[type(event)]
            payment_id = event.payment_id if of_payment else None
            paid.move(payment_id, sign * event.amount_minor, recorded.effective_at)

    def dispute_closed(self, recorded: RecordedEvent, event: Invoice.DisputeClosed) -> None:
        if (paid := self.invoices.get(recorded.originator_id)) and event.outcome == "won":
            paid.move(event.payment_id, event.amount_minor, recorded.effective_at)

    def captured(self, recorded: RecordedEvent, event: Payment.PaymentCaptured) -> None:
        self.methods[recorded.originator_id] = event.payment_method_id

    # What comes of it.

    def told(self) -> Iterator[HeldOn]:
        """By the order of purchases."""
        for sold in sorted(self.sold.values(), key=lambda one: (one.purchased_at, one.subscription_id)):
            lines = [
                covering_line(invoice_id, paid, number)
                for invoice_id, paid in self.invoices.items()
                for number, line in paid.lines.items()
                if line.subscription_id == sold.subscription_id and paid.licenses[number]
            ]
            still = [Holder(member_id=one, since=at, until=None, end_reason=None) for one, at in sold.open.items()]
            holders = sorted([*sold.holders, *still], key=lambda one: (one.since, one.member_id))
            if sold.closed_at is not None and sold.closed_at <= self.since and not (lines or holders):
                continue
            yield HeldOn(
                on=self.day,
                subscription_id=sold.subscription_id,
                pool_id=sold.pool_id,
                product_id=sold.product_id,
                product_name=sold.product_name,
                purchaser_id=sold.purchaser_id,
                billing_profile_id=sold.billing_profile_id,
                licenses=0 if sold.closed_at is not None and sold.closed_at < self.until else sold.licenses,
                holders=tuple(holders),
                lines=tuple(lines),
                invoices=tuple(self.covering_invoice(one) for one in dict.fromkeys(line.invoice_id for line in lines)),
            )

    def covering_invoice(self, invoice_id: UUID) -> CoveringInvoice:
        paid = self.invoices[invoice_id]
        issued = paid.issued
        return CoveringInvoice(
            invoice_id=invoice_id,
            number=issued.number,
            billing_profile_id=issued.billing_profile_id,
            currency=issued.currency,
            currency_exponent=issued.currency_exponent,
            total_minor=issued.total_minor,
            credited_minor=paid.credited_minor,
            paid_minor=sum(amount for amount, _ in paid.received.values()),
            due_minor=paid.due_minor,
            paid_by=tuple(
                PaidBy(
                    what="payment" if payment_id else BALANCE,
                    payment_id=payment_id,
                    payment_method_id=self.methods.get(payment_id) if payment_id else None,
                    amount_minor=amount,
                    paid_at=at,
                )
                for payment_id, (amount, at) in paid.received.items()
            ),
        )


def covering_line(invoice_id: UUID, paid: Paid, number: int) -> CoveringLine:
    line = paid.lines[number]
    period: Period = line.period
    return CoveringLine(
        invoice_id=invoice_id,
        number=paid.issued.number,
        line=number,
        kind=line.kind,
        starts_on=period.start,
        ends_on=period.ends_on,
        licenses=paid.licenses[number],
        unit_price_minor=line.unit_price_minor,
        days=line.days,
        cycle_days=line.cycle_days,
        rule=line.rule,
        price_per_license_minor=line.amount(1, line.days),
        price_per_day=in_words(Fraction(line.unit_price_minor, line.cycle_days)),
    )


def in_words(exact: Fraction) -> str:
    return str(exact.numerator) if exact.denominator == 1 else mixed(exact)


# What comes in settles an invoice; what goes back, to the payer or to the credit balance, is due again.
MOVES: dict[type, tuple[int, bool]] = {
    Invoice.CreditBalanceApplied: (+1, False),
    Invoice.PaymentReceived: (+1, True),
    Invoice.RefundCounted: (-1, True),
    Invoice.RefundReversed: (+1, True),
    Invoice.MovedToCreditBalance: (-1, False),
    Invoice.PaymentDisputed: (-1, True),
}
READS: dict[str, Callable[[Reading, RecordedEvent, Any], None]] = {
    Subscription.SubscriptionPurchased.TOPIC: Reading.purchased,
    Subscription.SubscriptionAdopted.TOPIC: Reading.adopted,
    LicensePool.LicensePoolOpened.TOPIC: Reading.sized,
    LicensePool.LicensesResized.TOPIC: Reading.sized,
    LicensePool.LicenseAssigned.TOPIC: Reading.assigned,
    LicensePool.LicenseUnassigned.TOPIC: Reading.unassigned,
    LicensePool.LicensePoolClosed.TOPIC: Reading.closed,
    Invoice.InvoiceIssued.TOPIC: Reading.issued,
    Invoice.CreditNoteIssued.TOPIC: Reading.credited,
    Invoice.DisputeClosed.TOPIC: Reading.dispute_closed,
    Payment.PaymentCaptured.TOPIC: Reading.captured,
    **{kind.TOPIC: Reading.moved for kind in MOVES},  # type: ignore[attr-defined]  # events
}
