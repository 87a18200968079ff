"""Add or remove licenses: the user says the new total. Added ones are paid for first, removed ones credited."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from domain.calendar import utc_date
from domain.invoice_line import line_of
from domain.payment import IncreaseIntent
from services.billing import give_back, issue, refuse_other_amount
from services.command import Command
from services.held_payment import Deal, paid_first
from services.ledger import Ledger
from services.ports import Receipt
from services.purchase import Purchase, purchase_of
from services.till import Till


class ResizeLicenses(Command):
    """The new `total`; `expected_total` is what the user saw before.

    `expected_amount_minor` is what it comes to, tax included: the invoice's total, or the credit notes' with a minus.
    """

    subscription_id: UUID
    total: int = Field(ge=0, le=1_000_000)
    expected_total: int | None = Field(default=None, ge=0, le=1_000_000)
    expected_amount_minor: int | None = None

    @property
    def invoice_id(self) -> UUID:
        return self.new_id("invoice")


def resize_licenses(ledger: Ledger, command: ResizeLicenses, till: Till) -> Receipt:
    """Adds licenses at the price of the term for the rest of the cycle, or removes the newest while they can go."""
    return paid_first(ledger, till, command, lambda at: resize_deal(ledger, till, command, at))


def resize_deal(
    ledger: Ledger, till: Till, command: ResizeLicenses, at: datetime | None, *, rehearse: bool = False
) -> Deal:
    """What the new total tells: once it is paid for if it is higher; with credit notes and refunds if it is lower."""
    purchase = purchase_of(ledger, till, command, "change licenses", at=at, rehearse=rehearse)
    purchase.pool.refuse_unexpected(command.expected_total)
    if command.total > purchase.pool.total:
        return increase(till, command, purchase)
    purchase.subscription.refuse_unless("decrease")
    credited = decrease(till, command.total, purchase) if command.total < purchase.pool.total else 0
    refuse_other_amount(command.expected_amount_minor, -credited, purchase.books.profile.currency)
    return Deal(purchase.books, purchase.seen)


def increase(till: Till, command: ResizeLicenses, purchase: Purchase) -> Deal:
    """The licenses that are added, billed for the rest of the cycle."""
    subscription, pool, at = purchase.subscription, purchase.pool, purchase.at
    subscription.refuse_unless("increase")
    if subscription.channel == "self_service":
        purchase.standing.organization.refuse_unless_self_service(subscription.product.product_id)
    before = pool.total
    pool.increase(command.total, subscription.price, invoice_id=command.invoice_id, at=at)
    line = line_of(
        subscription.price,
        number=1,
        kind="increase",
        subscription_id=subscription.id,
        product_name=subscription.product.name,
        batch=pool.last_batch,
        cycle=pool.cycle,
        since=utc_date(at),
        quantity=command.total - before,
    )
    bill = issue(
        purchase.books,
        till,
        invoice_id=command.invoice_id,
        reason="increase",
        lines=[line],
        due_on=utc_date(at),
        at=at,
    )
    refuse_other_amount(command.expected_amount_minor, bill.invoice.total_minor, bill.invoice.currency)
    intent = IncreaseIntent(
        subscription_id=subscription.id,
        total=command.total,
        total_before=before,
        price=subscription.price,
        **bill.priced,
    )
    return Deal(purchase.books, purchase.seen, bill, intent)


def decrease(till: Till, total: int, purchase: Purchase) -> int:
    """Takes the licenses back and answers what is credited for them, tax included."""
    subscription, pool, at = purchase.subscription, purchase.pool, purchase.at
    taken = pool.taken_by(total, subscription.price, at)
    given = give_back(purchase.books, till, subscription, taken, reason="licenses_removed", at=at)
    pool.decrease(total, subscription.price, credit_note_ids=given.credit_note_ids, at=at)
    return given.total_minor
