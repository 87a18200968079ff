"""Control totals: what was invoiced, credited, paid and given back, by day, billing profile and currency.

What is due at the end of a day is what was due before it and everything that moved on it. That the sums close, and that
they end where the invoices say they do, is what they are for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.kernel import PydanticMapper, Value

PREFIX = f"{Invoice.TOPIC}."


class DayTotals(Value):
    """A day of a billing profile: opening + invoiced - credited - received + refunded + disputed - from_balance +
    to_balance = closing. Refunds that failed and disputes that were won are taken off again on the day they were told.

    Written off is given up and still due: it may be paid yet, and is among what is due.
    """

    day: date  # UTC: the date on an invoice or credit note, and else the day on which it was decided
    billing_profile_id: UUID
    currency: str
    currency_exponent: int
    opening_minor: int
    invoiced_net_minor: int
    invoiced_tax_minor: int
    invoiced_minor: int
    credited_net_minor: int
    credited_tax_minor: int
    credited_minor: int
    received_minor: int
    refunded_minor: int
    disputed_minor: int
    from_balance_minor: int
    to_balance_minor: int
    written_off_minor: int
    closing_minor: int


class Totals(Value):
    """The days on which something moved, and what does not close."""

    days: tuple[DayTotals, ...]
    contradictions: tuple[str, ...]


class Account(NamedTuple):
    billing_profile_id: UUID
    currency: str


@dataclass
class Books:
    """Of one profile and currency: the sums of a day, and what is due before it and after."""

    exponent: int
    opening: int = 0
    sums: dict[str, int] = field(default_factory=dict)

    def add(self, **amounts: int) -> None:
        for name, amount in amounts.items():
            self.sums[name] = self.sums.get(name, 0) + amount

    @property
    def closing(self) -> int:
        return self.opening + sum(sign * self.sums.get(name, 0) for name, sign in SIGNS.items())


SIGNS = {
    "invoiced": +1,
    "credited": -1,
    "received": -1,
    "refunded": +1,
    "disputed": +1,
    "from_balance": -1,
    "to_balance": +1,
}
COLUMNS = (
    *("invoiced_net", "invoiced_tax", "invoiced", "credited_net", "credited_tax", "credited", "received", "refunded"),
    *("disputed", "from_balance", "to_balance", "written_off"),
)
DOCUMENTS = (Invoice.InvoiceIssued, Invoice.CreditNoteIssued)
OF_ONE_AMOUNT: dict[type, tuple[str, int]] = {
    Invoice.CreditBalanceApplied: ("from_balance", +1),
    Invoice.PaymentReceived: ("received", +1),
    Invoice.RefundCounted: ("refunded", +1),
    Invoice.RefundReversed: ("refunded", -1),
    Invoice.MovedToCreditBalance: ("to_balance", +1),
    Invoice.PaymentDisputed: ("disputed", +1),
}


def totals(
    events: Iterable[RecordedEvent],
    mapper: PydanticMapper,
    *,
    since: date | None = None,
    until: date | None = None,
) -> Totals:
    """From one organization's events in order; of the days from `since` to `until`, both of them included.

    A document counts on the day that is printed on it: a purchase whose payment was held up is invoiced on its own day,
    and paid on a later one.
    """
    reading = Reading(until)
    for event in events:
        if event.topic.startswith(PREFIX):
            reading.read(event, mapper.to_domain_event(event))
    days = [one for one in reading.days() if since is None or one.day >= since]
    return Totals(days=tuple(days), contradictions=tuple(reading.contradictions()))


class Reading:
    """All movements by account and day."""

    def __init__(self, until: date | None) -> None:
        self.until = until
        self.moved: dict[Account, dict[date, Books]] = {}
        self.exponents: dict[Account, int] = {}
        self.due: dict[UUID, int] = {}  # by invoice, as its newest event says

        self.account: dict[UUID, Account] = {}

    def read(self, recorded: RecordedEvent, event: Any) -> None:
        day = event.issued_on if isinstance(event, DOCUMENTS) else utc_date(recorded.envelope.occurred_at)
        if self.until is not None and day > self.until:
            return
        if isinstance(event, Invoice.InvoiceIssued):
            account = self.account[recorded.originator_id] = Account(event.billing_profile_id, event.currency)
            self.exponents[account] = event.currency_exponent
            self.due[recorded.originator_id] = event.total_minor
        if amounts := dict(movements_of(event)):
            account = self.account[recorded.originator_id]
            books = self.moved.setdefault(account, {}).setdefault(day, Books(self.exponents[account]))
            books.add(**amounts)
        if (due := getattr(event, "due_minor", None)) is not None:
            self.due[recorded.originator_id] = due

    def days(self) -> Iterator[DayTotals]:
        """By day, then by profile."""
        told = [one for account in self.moved for one in self.days_of(account)]
        return iter(sorted(told, key=lambda one: (one.day, one.billing_profile_id, one.currency)))

    def days_of(self, account: Account) -> Iterator[DayTotals]:
        opening = 0
        for day, books in sorted(self.moved[account].items()):
            books.opening = opening
            yield DayTotals(
                day=day,
                billing_profile_id=account.billing_profile_id,
                currency=account.currency,
                currency_exponent=books.exponent,
                opening_minor=opening,
                closing_minor=books.closing,
                **{f"{name}_minor": books.sums.get(name, 0) for name in COLUMNS},
            )
            opening = books.closing

    def contradictions(self) -> Iterator[str]:
        """Where the movements do not add up to what the invoices say is due."""
        told: dict[Account, int] = {}
        for invoice_id, due in self.due.items():
            told[self.account[invoice_id]] = told.get(self.account[invoice_id], 0) + due
        for account, due in told.items():
            *_, last = [0, *(one.closing_minor for one in self.days_of(account))]
            if last != due:
                who = f"profile {account.billing_profile_id}, {account.currency}"
                yield f"{who}: the movements come to {last} due, and the invoices say {due}"


def movements_of(event: Any) -> Iterator[tuple[str, int]]:
    """The sums that an event of an invoice adds to."""
    match event:
        case Invoice.InvoiceIssued():
            yield from zip(COLUMNS[:3], (event.net_minor, event.tax_minor, event.total_minor), strict=True)
        case Invoice.CreditNoteIssued():
            yield from zip(COLUMNS[3:6], (event.net_minor, event.tax_minor, event.total_minor), strict=True)
        case Invoice.DisputeClosed() if event.outcome == "won":
            yield "disputed", -event.amount_minor
        case Invoice.InvoiceWrittenOff():
            yield "written_off", event.due_minor
        case _ if type(event) in OF_ONE_AMOUNT:
            name, sign = OF_ONE_AMOUNT[type(event)]
            yield name, sign * event.amount_minor
        case _:
            pass
