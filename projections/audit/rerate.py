"""Re-rate: what invoices would have charged under another rule or at corrected prices. A report, which changes nothing.

Licenses, days, taxes and dates are those of history; the amounts of lines, of what was credited of them, and of taxes
are computed anew. Payments are not: what a difference is worth to whom, people decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper, Value
from domain.proration import RULES
from projections.audit.accounts import Accounts, Amounts, Price
from projections.audit.amounts import Told
from projections.audit.amounts_of_events import purchased, renewed
from projections.audit.causal_order import as_it_came_about
from projections.audit.derived import saves
from projections.audit.rerating_rules import RatingRule

SIGNS = {"invoice": +1, "credit note": -1}


class Rated(Value):
    """The amounts of a document."""

    net_minor: int
    tax_minor: int
    total_minor: int


class RatedLine(Value):
    """A line of an invoice, or what a credit note takes back of one."""

    line: int
    subscription_id: UUID
    product_id: str
    offer_id: UUID
    quantity: int  # charged, or taken back
    days: int
    cycle_days: int
    unit_price_minor: int
    would_be_unit_price_minor: int
    charged_minor: int
    would_be_minor: int
    difference_minor: int


class RatedDocument(Value):
    """An invoice or a credit note; a credit note is re-rated with its invoice, and its amounts are what it gives."""

    kind: Literal["invoice", "credit note"]
    number: str
    invoice_id: UUID
    billing_profile_id: UUID
    issued_on: date
    currency: str
    currency_exponent: int
    charged: Rated
    would_be: Rated
    difference_minor: int  # of the total: what it would be less what it is
    lines: tuple[RatedLine, ...]


class RatedTotal(Value):
    """All documents in a currency: invoices less credit notes."""

    currency: str
    currency_exponent: int
    documents: int
    differing: int
    charged_minor: int
    would_be_minor: int
    difference_minor: int


class Rerating(Value):
    """What was asked, every document, and the sums."""

    rule: RatingRule | None  # none: of each line its own
    prices: dict[str, int]
    unused_prices: tuple[str, ...]  # of what no line charges for
    documents: tuple[RatedDocument, ...]
    totals: tuple[RatedTotal, ...]
    unreadable: int  # events of which nothing can be said; `audit verify` names them


class Issued(NamedTuple):
    """An invoice without its amounts, with them, and with those that it would have."""

    facts: Mapping[str, Any]
    stored: Amounts
    would_be: Amounts

    def amounts_of(self, path: str) -> tuple[int, int]:
        return self.stored[path], self.would_be[path]


class Rerated(Accounts):
    """Accounts in which lines cost what another rule or another price makes of them."""

    def __init__(self, rule: RatingRule | None, prices: Mapping[str, int]) -> None:
        super().__init__(lambda _: (0, 1))  # nothing is paid here
        self.rule, self.prices = rule, prices
        self.issued: dict[UUID, Issued] = {}

    def priced(self, line: Mapping[str, Any]) -> tuple[int, Price]:
        unit, _ = super().priced(line)
        unit = self.prices.get(str(line["offer_id"]), self.prices.get(line["product_id"], unit))
        rule, cycle_days = self.rule or RULES[line["rule"]], line["cycle_days"]
        return unit, lambda quantity, days: rule.amount(
            unit_price_minor=unit, quantity=quantity, days=days, cycle_days=cycle_days
        )


def rerate(
    events: Iterable[RecordedEvent],
    mapper: PydanticMapper,
    *,
    rule: RatingRule | None = None,
    prices: Mapping[str, int] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Rerating:
    """From one organization's events, in order; of the invoices issued from `since` to `until`, both days included.

    `prices` are of one license for a cycle, in minor units, by offer id or product id; where both are, the offer's.
    """
    corrections = dict(prices or {})
    accounts = Rerated(rule, corrections)
    unreadable: list[int] = []
    documents = [
        document
        for save in saves(events, mapper, unreadable)
        for document in documents_of(save, accounts, since or date.min, until or date.max)
    ]
    sold = {of for one in documents for line in one.lines for of in (line.product_id, str(line.offer_id))}
    return Rerating(
        rule=rule,
        prices=corrections,
        unused_prices=tuple(of for of in corrections if of not in sold),
        documents=tuple(documents),
        totals=tuple(totals_of(documents)),
        unreadable=len(unreadable),
    )


def documents_of(
    save: Sequence[tuple[Told, Amounts]], accounts: Rerated, since: date, until: date
) -> Iterator[RatedDocument]:
    stored = {told.seq: amounts for told, amounts in save}
    for told in (one for together in as_it_came_about([told for told, _ in save]) for one in together):
        match told.kind:
            case "Subscription.SubscriptionPurchased":
                purchased(told, accounts)
            case "Subscription.SubscriptionRenewed":
                renewed(told, accounts)
            case "Invoice.InvoiceIssued" if since <= told.facts["issued_on"] <= until:
                issued = accounts.issued[told.id] = Issued(told.facts, stored[told.seq], accounts.issue(told))
                yield document_of("invoice", told, issued, issued, tuple(charges(issued)))
            case "Invoice.CreditNoteIssued" if told.id in accounts.issued:
                note, issued = Issued(told.facts, stored[told.seq], accounts.credit(told)), accounts.issued[told.id]
                yield document_of("credit note", told, note, issued, tuple(credits_of(note, issued)))


def document_of(
    kind: Literal["invoice", "credit note"], told: Told, document: Issued, invoice: Issued, lines: tuple[RatedLine, ...]
) -> RatedDocument:
    return RatedDocument(
        kind=kind,
        number=document.facts["number"],
        invoice_id=told.id,
        billing_profile_id=invoice.facts["billing_profile_id"],
        issued_on=document.facts["issued_on"],
        currency=invoice.facts["currency"],
        currency_exponent=invoice.facts["currency_exponent"],
        charged=rated(document.stored),
        would_be=rated(document.would_be),
        difference_minor=document.would_be["total_minor"] - document.stored["total_minor"],
        lines=lines,
    )


def rated(amounts: Amounts) -> Rated:
    return Rated(net_minor=amounts["net_minor"], tax_minor=amounts["tax_minor"], total_minor=amounts["total_minor"])


def charges(issued: Issued) -> Iterator[RatedLine]:
    for place, line in enumerate(issued.facts["lines"]):
        days = (line["period"]["end"] - line["period"]["start"]).days
        units = issued.amounts_of(f"lines[{place}].unit_price_minor")
        yield rated_line(line, line["quantity"], days, units, issued.amounts_of(f"lines[{place}].amount_minor"))


def credits_of(note: Issued, issued: Issued) -> Iterator[RatedLine]:
    for place, credit in enumerate(note.facts["lines"]):
        of = credit["line"] - 1
        taken = credit["quantity_before"] - credit["quantity"]
        units = issued.amounts_of(f"lines[{of}].unit_price_minor")
        amounts = note.amounts_of(f"lines[{place}].amount_minor")
        yield rated_line(issued.facts["lines"][of], taken, credit["days"], units, amounts)


def rated_line(
    line: Mapping[str, Any], quantity: int, days: int, units: tuple[int, int], amounts: tuple[int, int]
) -> RatedLine:
    return RatedLine(
        line=line["number"],
        subscription_id=line["subscription_id"],
        product_id=line["product_id"],
        offer_id=line["offer_id"],
        quantity=quantity,
        days=days,
        cycle_days=line["cycle_days"],
        unit_price_minor=units[0],
        would_be_unit_price_minor=units[1],
        charged_minor=amounts[0],
        would_be_minor=amounts[1],
        difference_minor=amounts[1] - amounts[0],
    )


def totals_of(documents: Sequence[RatedDocument]) -> Iterator[RatedTotal]:
    """By currency."""
    for currency, exponent in sorted({(one.currency, one.currency_exponent) for one in documents}):
        mine = [(one, SIGNS[one.kind]) for one in documents if one.currency == currency]
        yield RatedTotal(
            currency=currency,
            currency_exponent=exponent,
            documents=len(mine),
            differing=sum(one.difference_minor != 0 for one, _ in mine),
            charged_minor=sum(sign * one.charged.total_minor for one, sign in mine),
            would_be_minor=sum(sign * one.would_be.total_minor for one, sign in mine),
            difference_minor=sum(sign * one.difference_minor for one, sign in mine),
        )
