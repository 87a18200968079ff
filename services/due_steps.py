"""Due steps: what the calendar asks of the subscriptions of a profile. They tell, and neither save nor charge.

A round takes the steps of the earliest due day. Renewals and cycles of one day share an invoice. What comes after
depends on whether it could be charged, so the next round waits for the provider's answer.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.calendar import Period, cycle, cycle_on, term, utc_date
from domain.invoice import Invoice
from domain.invoice_line import InvoiceLine, LineKind, line_of
from domain.license_pool import LicensePool
from domain.offer import PriceFacts
from domain.subscription import WITH_ACCESS, Subscription
from services.billing import Bill, charge_for, issue, settle, start_collection
from services.books import Books
from services.end_of_grace import end_grace
from services.price_list import PriceList
from services.till import Till

LINES = 100  # of one invoice, which is one event: it has room for so many, whatever products are called
EVENTS = 2_000  # of one round: what one profile tells stays in one save, which has room for what one more step tells


class Due(NamedTuple):
    """A step and the day on which it is due."""

    on: date
    take: Callable[[], None]


class Charging(NamedTuple):
    """Licenses that are charged for a cycle from its first day on; with a price, a new term begins with it."""

    subscription: Subscription
    pool: LicensePool
    kind: LineKind
    cycle: Period
    price: PriceFacts
    licenses: int


class DueSteps:
    """The steps that are due in the books by a day, which is that of `at` unless an earlier one is given."""

    def __init__(self, books: Books, till: Till, prices: PriceList, at: datetime, *, until: date | None = None) -> None:
        self.books, self.till, self.prices, self.at = books, till, prices, at
        self.today = min(until or date.max, utc_date(at))

    def take_round(self) -> date | None:
        """Takes the steps of the earliest due day and answers which day that is; None: nothing is due."""
        due = [step for step in self.steps() if step.on <= self.today]
        charging = [one for one in self.chargings() if one.cycle.start <= self.today]
        days = [step.on for step in due] + [one.cycle.start for one in charging]
        if not days:
            return None
        day = min(days)
        # What ends or falls away on a day does so before anything is charged for it.
        if first := [step for step in due if step.on == day]:
            for step in first:
                step.take()
                if self.told >= EVENTS:
                    break  # the others stay due: the next round takes them
        else:
            self.charge([one for one in charging if one.cycle.start == day], day)
        return day

    @property
    def told(self) -> int:
        """How many events the books have to tell."""
        return sum(len(aggregate.pending_events) for aggregate in self.books.told())

    # What is due.

    def steps(self) -> Iterator[Due]:
        for subscription in self.books.subscriptions.values():
            yield from self.steps_of(subscription, self.books.pools[subscription.id])
        for invoice in self.books.open_invoices:
            yield from self.steps_of_unpaid(invoice)

    def steps_of(self, subscription: Subscription, pool: LicensePool) -> Iterator[Due]:
        """Endings, in the order in which they would come on one day."""
        if pool.over_assigned_until and pool.excess:
            yield Due(pool.over_assigned_until, pool.unassign_excess)
        if subscription.life in WITH_ACCESS and subscription.recurring_billing:
            if self.books.members[subscription.purchaser_id].status == "removed":
                yield Due(date.min, lambda: subscription.turn_recurring_billing_off("purchaser_left"))
            elif subscription.term.end <= self.today and self.price_of(subscription) is None:
                yield Due(subscription.term.end, lambda: subscription.turn_recurring_billing_off("offer_withdrawn"))
        elif subscription.life == "active":
            yield Due(subscription.term.end, lambda: subscription.expire(licenses=pool.total, at=self.at))
        if subscription.ends_next_on and subscription.life == "expired":
            on = subscription.ends_next_on
            yield Due(on, lambda: subscription.disable("expired", on=on))
        if subscription.ends_next_on and subscription.life == "disabled":
            on = subscription.ends_next_on
            yield Due(on, lambda: self.delete(subscription, pool, on))

    def steps_of_unpaid(self, invoice: Invoice) -> Iterator[Due]:
        if invoice.status != "past_due" or invoice.collected_by:
            return
        if invoice.retry_on:
            # A catch-up makes only the latest attempt that is due: the next one counts from the day it was made.
            yield Due(invoice.retry_on, lambda: self.collect(invoice))
        elif invoice.grace_ends_on and not invoice.disputed:
            ended_on = invoice.grace_ends_on
            yield Due(ended_on, lambda: end_grace(self.books, self.till, invoice, ended_on, self.at))

    def chargings(self) -> Iterator[Charging]:
        """Renewals at a term's end and cycles within a term; a past due subscription does not renew."""
        for subscription in self.books.subscriptions.values():
            pool = self.books.pools[subscription.id]
            if subscription.life in WITH_ACCESS and pool.charged_until < subscription.term.end:
                following = self.cycle_from(subscription, pool.charged_until)
                yield Charging(subscription, pool, "cycle", following, subscription.price, pool.total)
            elif self.renews(subscription) and (price := self.price_of(subscription)):
                following = self.cycle_from(subscription, subscription.term.end)
                total = subscription.scheduled_total or pool.total
                yield Charging(subscription, pool, "renewal", following, price, total)

    def renews(self, subscription: Subscription) -> bool:
        ended = subscription.term.end <= self.today
        return ended and subscription.life == "active" and subscription.recurring_billing

    @staticmethod
    def cycle_from(subscription: Subscription, day: date) -> Period:
        """The charge cycle that starts on a day."""
        plan = subscription.price.plan
        return cycle(subscription.anchor, plan, cycle_on(subscription.anchor, plan, day))

    def price_of(self, subscription: Subscription) -> PriceFacts | None:
        """The price of the next term, valid at its start; None: the offer is withdrawn."""
        return self.prices.price_on(subscription.price.offer_id, subscription.term.end)

    # How it is taken.

    def charge(self, charging: list[Charging], day: date) -> None:
        """One invoice for all that starts a cycle on this day; its payment is requested with it.

        What an invoice has no room for stays due: the next round bills it.
        """
        bill = self.bill(invoices_of(charging)[0], day)
        if bill.charge_minor:
            start_collection(self.books, bill.invoice, bill.charge_minor, bill.allocation, at=self.at)

    def bill(self, charging: list[Charging], day: date) -> Bill:
        """Starts the cycles and terms of one of `invoices_of`, and issues it."""
        invoice_id = uuid5(self.books.profile.id, f"renewal:{day}:{charging[0].subscription.id}")
        lines = [self.line(one, number) for number, one in enumerate(charging, start=1)]
        for one, line in zip(charging, lines, strict=True):
            if one.kind == "renewal":
                self.renew(one, invoice_id, line)
            else:
                one.pool.charge(invoice_id=invoice_id, line=line.number, cycle=one.cycle)
        return issue(
            self.books,
            self.till,
            invoice_id=invoice_id,
            reason="renewal",
            lines=lines,
            due_on=day,
            at=self.at,
        )

    def line(self, one: Charging, number: int) -> InvoiceLine:
        return line_of(
            one.price,
            number=number,
            kind=one.kind,
            subscription_id=one.subscription.id,
            product_name=one.subscription.product.name,
            batch=one.pool.last_batch + (one.kind == "renewal"),
            cycle=one.cycle,
            since=one.cycle.start,
            quantity=one.licenses,
        )

    def renew(self, one: Charging, invoice_id: UUID, line: InvoiceLine) -> None:
        subscription, pool = one.subscription, one.pool
        before = pool.total
        pool.renew(
            one.licenses,
            one.price,
            invoice_id=invoice_id,
            line=line.number,
            cycle=one.cycle,
            term=term(subscription.anchor, one.price.term, subscription.term_number + 1),
            at=self.at,
        )
        subscription.renew(
            one.price,
            licenses=one.licenses,
            licenses_before=before,
            invoice_id=invoice_id,
            at=self.at,
        )

    def collect(self, invoice: Invoice) -> None:
        charge, allocation = charge_for(self.books, self.till, invoice)
        if charge:
            start_collection(self.books, invoice, charge, allocation, at=self.at)
        else:  # what it was charged together with is collected, or gone: alone it is too small
            settle(self.books, self.till, invoice)

    def delete(self, subscription: Subscription, pool: LicensePool, on: date) -> None:
        pool.close("ended")
        subscription.delete(on=on)
        self.books.profile.take_off(subscription.id)


def invoices_of(charging: list[Charging]) -> list[list[Charging]]:
    """What each invoice of a day charges; one, but for a profile with very many subscriptions."""
    charging = sorted(charging, key=lambda one: one.subscription.id)
    return [charging[start : start + LINES] for start in range(0, len(charging), LINES)]
