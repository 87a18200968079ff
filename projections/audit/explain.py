"""Explain: why an invoice asks for what it asks for, and what has become of it, from the events alone."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.invoice_line import CreditLine, InvoiceLine
from domain.kernel import PydanticMapper
from domain.license_pool import LicensePool
from domain.offer import Offer
from domain.organization import Organization
from domain.proration import RULES
from domain.subscription import Subscription
from domain.tax import TaxRate
from projections.audit.arithmetic import Arithmetic, less, price_of, tax_on
from projections.audit.explained import (
    ExplainedCredit,
    ExplainedCreditNote,
    ExplainedLine,
    ExplainedTax,
    Explanation,
    cause_of,
)
from projections.audit.explained_movements import movements_of, sums_of

Pair = tuple[RecordedEvent, Any]  # as it is stored, and what it says


def explain(
    invoice_id: UUID, events: Iterable[RecordedEvent], offers: Iterable[RecordedEvent], mapper: PydanticMapper
) -> Explanation:
    """From the invoice's events, those of its payments, and those told with its documents; oldest first."""
    told = [(event, mapper.to_domain_event(event)) for event in events]
    of_invoice = [pair for pair in told if pair[0].originator_id == invoice_id]
    recorded, issued = of_invoice[0]
    prices = dict(effective_dates(mapper.to_domain_event(event) for event in offers))
    charged = charged_for(told, invoice_id)
    lines = tuple(
        explained_line(line, prices, [*charged.get(line.subscription_id, ()), *charged.get(line.number, ())])
        for line in issued.lines
    )
    notes = tuple(explained_notes(of_invoice, issued, told))
    tax = explained_tax(issued.tax_rate, tax_on(issued.net_minor, issued.tax_rate.rate_ppm), issued.tax_minor)
    movements = tuple(movements_of(invoice_id, issued.total_minor, told))
    due = movements[-1].due_minor if movements else issued.total_minor
    found = Explanation(
        invoice_id=invoice_id,
        number=issued.number,
        billing_profile_id=issued.billing_profile_id,
        reason=issued.reason,
        state=[event.state for _, event in of_invoice if hasattr(event, "state")][-1],
        issued_on=issued.issued_on,
        due_on=issued.due_on,
        bill_to_country=issued.bill_to.country,
        po_number=issued.po_number,
        currency=issued.currency,
        currency_exponent=issued.currency_exponent,
        cause=cause_of(recorded),
        lines=lines,
        net_minor=issued.net_minor,
        tax=tax,
        total_minor=issued.total_minor,
        credit_notes=notes,
        movements=movements,
        sums=sums_of(issued.total_minor, movements),
        due_minor=due,
    )
    told_due = [event.due_minor for _, event in of_invoice if hasattr(event, "due_minor")]
    said = contradictions(found, told_due[-1] if told_due else issued.total_minor)
    return found.model_copy(update={"contradictions": tuple(said)})


def effective_dates(told: Iterable[Any]) -> Iterator[tuple[tuple[UUID, int], date]]:
    """When each price version of each offer took effect."""
    for event in told:
        if isinstance(event, Offer.OfferPublished):
            yield (event.originator_id, event.first_price.number), event.first_price.effective_on
        elif isinstance(event, Offer.PriceVersionScheduled):
            yield (event.originator_id, event.price.number), event.price.effective_on


# Lines.


def explained_line(
    line: InvoiceLine, prices: dict[tuple[UUID, int], date], causes: Sequence[RecordedEvent]
) -> ExplainedLine:
    rule = RULES[line.rule]
    return ExplainedLine(
        number=line.number,
        kind=line.kind,
        subscription_id=line.subscription_id,
        product_id=line.product_id,
        product_name=line.product_name,
        offer_id=line.offer_id,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        price_version=line.price_version,
        price_effective_on=prices.get((line.offer_id, line.price_version)),
        starts_on=line.period.start,
        ends_on=line.period.ends_on,
        days=line.days,
        cycle_days=line.cycle_days,
        days_in_words=f"{line.days} of {line.cycle_days} days",
        rule=rule.name,
        basis=rule.basis,
        unit=rule.unit,
        rounding=rule.rounding,
        arithmetic=price_of(line.quantity, line.unit_price_minor, line.days, line.cycle_days, line.rule),
        amount_minor=line.amount_minor,
        causes=tuple(map(cause_of, causes)),
    )


def charged_for(told: Sequence[Pair], invoice_id: UUID) -> dict[UUID | int, list[RecordedEvent]]:
    """What the lines charge for: of subscriptions by their id, of pools by the number of the line."""
    found: dict[UUID | int, list[RecordedEvent]] = {}
    for event, fact in told:
        if isinstance(fact, Subscription.SubscriptionPurchased | Subscription.SubscriptionRenewed):
            if fact.document_id == invoice_id:
                found.setdefault(event.originator_id, []).append(event)
        elif (
            isinstance(fact, LicensePool.LicensePoolOpened | LicensePool.LicensesResized | LicensePool.LicensesCharged)
            and fact.charge is not None
            and fact.charge.invoice_id == invoice_id
        ):
            found.setdefault(fact.charge.line, []).append(event)
    return found


def explained_tax(rate: TaxRate, arithmetic: Arithmetic, amount_minor: int) -> ExplainedTax:
    return ExplainedTax(
        country=rate.country,
        name=rate.name,
        rate_ppm=rate.rate_ppm,
        arithmetic=arithmetic,
        amount_minor=amount_minor,
    )


# Credit notes.


def explained_notes(
    of_invoice: Sequence[Pair], issued: Invoice.InvoiceIssued, told: Sequence[Pair]
) -> Iterator[ExplainedCreditNote]:
    """Each with what is left of the invoice before it."""
    rate, net_left = issued.tax_rate, issued.net_minor
    left = {line.number: line.amount_minor for line in issued.lines}
    for event, note in of_invoice:
        if not isinstance(note, Invoice.CreditNoteIssued):
            continue
        of_note = list(causes_of(event, note, told))
        ended_on = next((fact.disabled_on for _, fact in of_note if hasattr(fact, "disabled_on")), note.issued_on)
        credits_of_lines = []
        for credit in note.lines:
            line = issued.lines[credit.line - 1]
            credits_of_lines.append(explained_credit(credit, line, left[credit.line], ended_on, note.reason))
            left[credit.line] -= credit.amount_minor
        tax = less(tax_on(net_left, rate.rate_ppm), tax_on(net_left - note.net_minor, rate.rate_ppm))
        net_left -= note.net_minor
        yield ExplainedCreditNote(
            credit_note_id=note.credit_note_id,
            number=note.number,
            reason=note.reason,
            issued_on=note.issued_on,
            lines=tuple(credits_of_lines),
            net_minor=note.net_minor,
            tax=explained_tax(rate, tax, note.tax_minor),
            total_minor=note.total_minor,
            due_minor=note.due_minor,
            causes=tuple(cause_of(recorded) for recorded, _ in of_note),
        )


def causes_of(event: RecordedEvent, note: Invoice.CreditNoteIssued, told: Sequence[Pair]) -> Iterator[Pair]:
    """What names the credit note, and whether more days than were unused were given, which is told beside it."""
    save = (event.envelope.command_id, event.envelope.step)
    for recorded, fact in told:
        named = note.credit_note_id in getattr(fact, "credit_note_ids", ())
        beside = isinstance(fact, Organization.FullCreditGiven) and save == (
            recorded.envelope.command_id,
            recorded.envelope.step,
        )
        if named or beside:
            yield recorded, fact


def explained_credit(
    credit: CreditLine, line: InvoiceLine, left_minor: int, counted_on: date, reason: str
) -> ExplainedCredit:
    before, after = (
        price_of(quantity, line.unit_price_minor, credit.days, line.cycle_days, line.rule)
        for quantity in (credit.quantity_before, credit.quantity)
    )
    unused = max(0, (line.period.end - counted_on).days)
    return ExplainedCredit(
        line=credit.line,
        product_name=line.product_name,
        taken=credit.quantity_before - credit.quantity,
        quantity_before=credit.quantity_before,
        quantity=credit.quantity,
        days=credit.days,
        cycle_days=line.cycle_days,
        unused_days=unused,
        why=why_so_many(credit.days, unused, counted_on, reason),
        arithmetic=less(before, after, left_minor),
        amount_minor=credit.amount_minor,
    )


def why_so_many(days: int, unused: int, on: date, reason: str) -> str:
    """Why a credit counts so many days."""
    if days > unused:
        return f"in full, within 24 hours: all {days} days that were charged"
    if days < unused:
        return f"by the day: {days} days, as the credit before; they never rise"
    if reason == "grace_ended":
        return f"by the day: {days} days from {on} on, when access ended"
    return f"by the day: {days} days from {on} on, that day included"


def contradictions(found: Explanation, told_due_minor: int) -> Iterator[str]:
    """Where history tells other amounts than the arithmetic gives."""
    lines, tax, notes = found.lines, found.tax, found.credit_notes
    said = [(f"line {line.number}", line.amount_minor, line.arithmetic.amount_minor) for line in lines]
    said.append(("net", found.net_minor, sum(line.amount_minor for line in lines)))
    said.append(("tax", tax.amount_minor, tax.arithmetic.amount_minor))
    said.append(("total", found.total_minor, found.net_minor + tax.amount_minor))
    for note in notes:
        name = f"credit note {note.number}"
        said += [(f"{name}, line {one.line}", one.amount_minor, one.arithmetic.amount_minor) for one in note.lines]
        said.append((f"{name}, net", note.net_minor, sum(one.amount_minor for one in note.lines)))
        said.append((f"{name}, tax", note.tax.amount_minor, note.tax.arithmetic.amount_minor))
        said.append((f"{name}, total", note.total_minor, note.net_minor + note.tax.amount_minor))
    said.append(("due", told_due_minor, found.due_minor))
    for what, stored, comes_to in said:
        if stored != comes_to:
            yield f"{what} is {stored} and comes to {comes_to}"
