"""Quote: what a purchase, a new total, a cancellation or a renewal comes to. The code that charges, unrecorded."""

from datetime import UTC, date, datetime, time
from typing import Literal
from uuid import UUID

from domain.calendar import utc_date
from domain.invoice import Invoice
from domain.invoice_line import CreditLine, InvoiceLine
from domain.kernel import Value
from domain.payment import Payment
from domain.refusals import RecurringBillingOff
from services.books import Books
from services.buy_subscription import BuySubscription, purchase_deal
from services.cancel_subscription import CancelSubscription, cancel_now
from services.command import Command
from services.due_steps import DueSteps, invoices_of
from services.held_payment import Deal
from services.ledger import Ledger
from services.purchase import purchase_of
from services.reactivate_subscription import ReactivateSubscription, reactivation_deal
from services.resize_licenses import ResizeLicenses, resize_deal
from services.till import Till


class QuoteRenewal(Command):
    """The upcoming renewal of a subscription, at the prices that are known today."""

    subscription_id: UUID


Quotable = BuySubscription | ResizeLicenses | CancelSubscription | ReactivateSubscription | QuoteRenewal


class QuotedCredit(Value):
    """A credit note that would amend an invoice."""

    invoice_number: str
    lines: tuple[CreditLine, ...]
    net_minor: int
    tax_minor: int
    total_minor: int


class Quote(Value):
    """What it comes to. Amounts in minor units; `total_minor` is what `expected_amount_minor` of the command says."""

    what: Literal["purchase", "increase", "decrease", "cancellation", "reactivation", "renewal", "nothing"]
    on: date  # the day as of which it holds
    currency: str
    currency_exponent: int
    lines: tuple[InvoiceLine, ...] = ()
    credits: tuple[QuotedCredit, ...] = ()
    net_minor: int
    tax_minor: int
    tax_rate_ppm: int
    total_minor: int  # with a minus for credits
    from_balance_minor: int = 0
    charge_minor: int = 0  # to the card now, with small amounts that waited
    refund_minor: int = 0  # to cards
    to_balance_minor: int = 0
    still_due_minor: int = 0  # on the invoices concerned, afterwards
    still_owed_minor: int = 0  # later cycles of the term, before tax, of a cancellation at its end


def quote(ledger: Ledger, till: Till, command: Quotable) -> Quote:
    """Decides exactly what the command would, and records nothing. Refused where the command would be."""
    match command:
        case BuySubscription():
            return billed("purchase", ledger, purchase_deal(ledger, till, command, None, rehearse=True))
        case ReactivateSubscription():
            return billed("reactivation", ledger, reactivation_deal(ledger, till, command, None, rehearse=True))
        case ResizeLicenses():
            deal = resize_deal(ledger, till, command, None, rehearse=True)
            return billed("increase", ledger, deal) if deal.bill else credited("decrease", ledger, deal.books)
        case CancelSubscription():
            return cancellation(ledger, till, command)
        case QuoteRenewal():
            return renewal(ledger, till, command)


def billed(
    what: Literal["purchase", "increase", "reactivation", "renewal"], ledger: Ledger, deal: Deal, on: date | None = None
) -> Quote:
    """A quote of an invoice."""
    assert deal.bill is not None  # noqa: S101 - what is billed has a bill
    invoice = deal.bill.invoice
    return quoted_invoice(what, invoice, deal.bill.charge_minor, on or utc_date(ledger.now(deal.books.organization)))


def quoted_invoice(
    what: Literal["purchase", "increase", "reactivation", "renewal"], invoice: Invoice, charge_minor: int, on: date
) -> Quote:
    return Quote(
        what=what,
        on=on,
        currency=invoice.currency,
        currency_exponent=invoice.currency_exponent,
        lines=invoice.lines,
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        tax_rate_ppm=invoice.tax_rate.rate_ppm,
        total_minor=invoice.total_minor,
        from_balance_minor=invoice.balance_applied_minor,
        charge_minor=charge_minor,
    )


def credited(
    what: Literal["decrease", "cancellation"], ledger: Ledger, books: Books, *, still_owed_minor: int = 0
) -> Quote:
    """A quote of credit notes and of what becomes of them."""
    told = [event for aggregate in books.told() for event in aggregate.pending_events]
    notes = [event for event in told if isinstance(event, Invoice.CreditNoteIssued)]
    amended = {note.originator_id: books.invoice(note.originator_id) for note in notes}
    quoted = tuple(
        QuotedCredit(
            invoice_number=amended[note.originator_id].number,
            lines=note.lines,
            net_minor=note.net_minor,
            tax_minor=note.tax_minor,
            total_minor=note.total_minor,
        )
        for note in notes
    )
    rates = [invoice.tax_rate.rate_ppm for invoice in amended.values()]
    return Quote(
        what=what if notes or still_owed_minor else "nothing",
        on=utc_date(ledger.now(books.organization)),
        currency=books.profile.currency,
        currency_exponent=books.profile.currency_exponent,
        credits=quoted,
        net_minor=-sum(note.net_minor for note in quoted),
        tax_minor=-sum(note.tax_minor for note in quoted),
        tax_rate_ppm=rates[0] if rates else 0,
        total_minor=-sum(note.total_minor for note in quoted),
        refund_minor=sum(event.amount_minor for event in told if isinstance(event, Payment.RefundRequested)),
        to_balance_minor=sum(event.amount_minor for event in told if isinstance(event, Invoice.MovedToCreditBalance)),
        still_due_minor=sum(max(0, invoice.due_minor) for invoice in amended.values()),
        still_owed_minor=still_owed_minor,
    )


def cancellation(ledger: Ledger, till: Till, command: CancelSubscription) -> Quote:
    purchase = purchase_of(ledger, till, command, "cancel", rehearse=True)
    if command.when == "now":
        cancel_now(till, command, purchase, feedback=None)
        return credited("cancellation", ledger, purchase.books)
    purchase.subscription.refuse_unless("cancel")
    owed = purchase.subscription.still_owed(purchase.pool.total, purchase.at)
    return credited("cancellation", ledger, purchase.books, still_owed_minor=owed)


def renewal(ledger: Ledger, till: Till, command: QuoteRenewal) -> Quote:
    """What the life-cycle run will charge when the next term of the subscription, or its next cycle, starts."""
    purchase = purchase_of(ledger, till, command, "see upcoming", rehearse=True)
    subscription, books = purchase.subscription, purchase.books
    starts_on = purchase.pool.charged_until
    subscription.refuse_unless("recurring")
    if starts_on >= subscription.term.end:
        subscription.refuse_unless("renew")
        if not subscription.recurring_billing:
            raise RecurringBillingOff(subscription_id=subscription.id)
        ledger.prices.price_for(subscription.price.offer_id, starts_on)  # refuses an offer that is withdrawn by then
    at = datetime.combine(starts_on, time(), UTC)
    steps = DueSteps(books, till, ledger.prices, at)
    charging = [one for one in steps.chargings() if one.cycle.start == starts_on]
    [mine] = [of for of in invoices_of(charging) if any(one.subscription.id == subscription.id for one in of)]
    bill = steps.bill(mine, starts_on)
    return quoted_invoice("renewal", bill.invoice, bill.charge_minor, starts_on)
