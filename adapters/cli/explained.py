"""An explanation of an invoice as lines of text, for a terminal or a letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.catalog.currency import in_major
from adapters.cli.answer import moment
from projections.audit.explained import Cause, ExplainedCreditNote, ExplainedLine, ExplainedTax, Explanation

KINDS = {"purchase": "bought", "increase": "added", "renewal": "renewed", "cycle": "next billing period"}


def lines_of(found: Explanation) -> Iterator[str]:
    """Top to bottom: what was charged and why, what was credited and why, what moved, and what is due."""

    def amount(minor: int) -> str:
        return f"{in_major(minor, found.currency_exponent)} {found.currency}"

    yield f"Invoice {found.number}, {found.reason}, {found.state.replace('_', ' ')}"
    yield f"issued {found.issued_on}, for {found.due_on}, billing profile {found.billing_profile_id}"
    yield from caused_by([found.cause])
    for line in found.lines:
        yield ""
        yield from charged(line, amount(line.unit_price_minor), amount(line.amount_minor))
    yield ""
    yield f"Net {amount(found.net_minor)}"
    yield taxed(found.tax, amount(found.tax.amount_minor))
    yield f"Total {amount(found.total_minor)}"
    for note in found.credit_notes:
        yield ""
        yield f"Credit note {note.number} of {note.issued_on}, {note.reason.replace('_', ' ')}"
        yield from credited(note)
        yield f"  net {amount(note.net_minor)}; {taxed(note.tax, amount(note.tax.amount_minor))}"
        yield f"  credited {amount(note.total_minor)}"
    if found.movements:
        yield ""
    for step in found.movements:
        code = f" ({step.code})" if step.code else ""
        what = f"{moment(step.cause.recorded_at)}  {step.what}{code} {amount(step.amount_minor)}"
        yield f"{what}, due {amount(step.due_minor)}"
    yield ""
    for term in found.sums:
        yield f"{term.what} {amount(term.amount_minor)}"
    yield f"= due {amount(found.due_minor)}"
    for contradiction in found.contradictions:
        yield f"History contradicts itself: {contradiction}"


def charged(line: ExplainedLine, unit_price: str, amount: str) -> Iterator[str]:
    """A line, its price, its days, its rule and its arithmetic in minor units."""
    yield f"{line.number}. {line.product_name}, {KINDS[line.kind]}: {amount}"
    since = f", valid from {line.price_effective_on} on" if line.price_effective_on else ""
    yield f"   {line.quantity} licenses at {unit_price} (price version {line.price_version}{since})"
    yield f"   {line.days_in_words}, {line.starts_on} to {line.ends_on}"
    yield f"   {line.rule} ({line.basis}; {line.unit}; {line.rounding}): {line.arithmetic.text}"
    yield from (f"   {text}" for text in caused_by(line.causes))


def credited(note: ExplainedCreditNote) -> Iterator[str]:
    for credit in note.lines:
        yield f"  line {credit.line}, {credit.product_name}: {credit.taken} of {credit.quantity_before} licenses"
        yield f"    {credit.why}: {credit.arithmetic.text}"
    yield from (f"  {text}" for text in caused_by(note.causes))


def taxed(tax: ExplainedTax, amount: str) -> str:
    if not tax.rate_ppm:
        return f"No tax ({tax.country})"
    return f"{tax.name} ({tax.country}) {amount}: {tax.arithmetic.text}"


def caused_by(causes: Sequence[Cause]) -> Iterator[str]:
    for cause in causes:
        event = f"{cause.event} #{cause.organization_seq} at position {cause.position}"
        yield f"because of {event}, {moment(cause.recorded_at)}, {cause.command} by {cause.actor_role} {cause.actor_id}"
