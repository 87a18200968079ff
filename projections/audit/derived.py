"""Derived: the invoice history of an organization once more, from its events without their amounts, by invoice."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper, Value
from projections.audit.accounts import Accounts, Amounts, Moves
from projections.audit.amounts import Told, read
from projections.audit.derive import CHECK, compared, derive
from projections.audit.verify import Difference


class Sums(Value):
    """What an invoice comes to, in minor units."""

    net_minor: int = 0
    tax_minor: int = 0
    total_minor: int = 0
    credited_minor: int = 0
    due_minor: int = 0

    def with_amounts(self, kind: str, amounts: Amounts) -> "Sums":
        """After an event of the invoice that tells these amounts."""
        changed = {"due_minor": amounts["due_minor"]} if "due_minor" in amounts else {}
        if kind == "Invoice.InvoiceIssued":
            changed = {name: amounts.get(name, 0) for name in ("net_minor", "tax_minor", "total_minor")}
            changed["due_minor"] = changed["total_minor"]
        elif kind == "Invoice.CreditNoteIssued":
            changed["credited_minor"] = self.credited_minor + amounts.get("total_minor", 0)
        return self.model_copy(update=changed)


class DerivedInvoice(Value):
    """An invoice as history tells it, and as the rest of history gives it."""

    invoice_id: UUID
    number: str
    billing_profile_id: UUID
    currency: str
    currency_exponent: int
    amounts: int  # that were derived and compared, also of its credit notes and of what moved on it
    recorded: Sums
    derived: Sums
    difference_minor: int  # of what is due: derived less recorded
    differences: tuple[Difference, ...]


class DerivedHistory(Value):
    """Every invoice, and what differs in what is none: prices, payments, credit balances."""

    invoices: tuple[DerivedInvoice, ...]
    others: tuple[Difference, ...]
    amounts: int
    unreadable: int  # events of which nothing can be said; `audit verify` names them

    @property
    def as_recorded(self) -> bool:
        return not self.unreadable and not self.others and not any(one.differences for one in self.invoices)


class Step(NamedTuple):
    """An event, the amounts that it tells, and those that history gives; None: what they rest on is not told."""

    told: Told
    stored: Amounts
    derived: Amounts | None


def derived_history(events: Iterable[RecordedEvent], moves: Moves, mapper: PydanticMapper) -> DerivedHistory:
    """From one organization's events, in order."""
    accounts = Accounts(moves)
    invoices: dict[UUID, DerivedInvoice] = {}
    others: list[Difference] = []
    unreadable: list[int] = []
    count = 0
    for save in saves(events, mapper, unreadable):
        for step in steps_of(save, accounts):
            count += len(step.stored)
            differences = tuple(compared(accounts, *step))
            if not step.told.kind.startswith("Invoice."):
                others += differences
                continue
            invoice = invoices.get(step.told.id) or beginning(step.told)
            invoices[step.told.id] = after(invoice, step, differences)
        for bill, owed in accounts.owing(list(dict.fromkeys(told.id for told, _ in save))):
            what = f"{owed} are owed after event #{save[-1][0].seq}, and nothing gives them back"
            others.append(Difference(check=CHECK, key=bill.number, what=what))
    return DerivedHistory(
        invoices=tuple(invoices.values()), others=tuple(others), amounts=count, unreadable=len(unreadable)
    )


def saves(
    events: Iterable[RecordedEvent], mapper: PydanticMapper, unreadable: list[int]
) -> Iterator[list[tuple[Told, Amounts]]]:
    """What tells of money, save by save, without the amounts and with them beside; what cannot be read is put aside."""
    save: list[tuple[Told, Amounts]] = []
    for event in events:
        try:
            told, amounts, ends_save = read(event, mapper)
        except Exception:  # noqa: BLE001 - whatever is wrong with it
            unreadable.append(event.position)
            continue
        if told:
            save.append((told, amounts))
        if ends_save and save:
            yield save
            save = []
    if save:
        yield save


def steps_of(save: list[tuple[Told, Amounts]], accounts: Accounts) -> Iterator[Step]:
    stored = {told.seq: amounts for told, amounts in save}
    for told, derived in derive([told for told, _ in save], accounts):
        yield Step(told, stored[told.seq], derived)


def beginning(told: Told) -> DerivedInvoice:
    facts = told.facts
    return DerivedInvoice(
        invoice_id=told.id,
        number=facts.get("number", str(told.id)),
        billing_profile_id=facts["billing_profile_id"],
        currency=facts["currency"],
        currency_exponent=facts.get("currency_exponent", 0),
        amounts=0,
        recorded=Sums(),
        derived=Sums(),
        difference_minor=0,
        differences=(),
    )


def after(invoice: DerivedInvoice, step: Step, differences: tuple[Difference, ...]) -> DerivedInvoice:
    """With one event more."""
    recorded = invoice.recorded.with_amounts(step.told.kind, step.stored)
    derived = invoice.derived.with_amounts(step.told.kind, step.derived or {})
    return invoice.model_copy(
        update={
            "amounts": invoice.amounts + len(step.stored),
            "recorded": recorded,
            "derived": derived,
            "difference_minor": derived.due_minor - recorded.due_minor,
            "differences": (*invoice.differences, *differences),
        }
    )
