"""Changes of one day that are credited by the day: their exact net does not depend on their order."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from domain.billing_profile import BillTo
from domain.calendar import Period, cycle
from domain.crediting import credits_for
from domain.invoice import Invoice
from domain.invoice_line import line_of
from domain.license_pool import LicensePool
from domain.offer import PriceFacts
from domain.refusals import Refusal
from domain.tax import TaxRate
from tests.examples import POOL, POWER_BI_PRO, SUBSCRIPTION

NO_TAX = TaxRate(country="US", name="", rate_ppm=0)


class Account:
    """A pool with its lines, as purchases and changes leave them; `net` is what was charged less what was credited."""

    def __init__(self, price: PriceFacts, licenses: int, anchor: date) -> None:
        self.price, self.cycle = price, cycle(anchor, price.plan, 0)
        self.invoices: dict[UUID, Invoice] = {}
        self.lines_touched: set[UUID] = set()
        invoice_id = self.charge("purchase", licenses, 1, anchor)
        self.pool = LicensePool.open(
            id=POOL,
            subscription_id=SUBSCRIPTION,
            total=licenses,
            price=price,
            invoice_id=invoice_id,
            cycle=self.cycle,
            at=noon(anchor),
        )

    def charge(self, kind: str, quantity: int, batch: int, day: date) -> UUID:
        line = line_of(
            self.price,
            number=1,
            kind=kind,  # type: ignore[arg-type]  # of the literal
            subscription_id=SUBSCRIPTION,
            product_name="Power BI Pro",
            batch=batch,
            cycle=self.cycle,
            since=day,
            quantity=quantity,
        )
        invoice_id = uuid5(POOL, str(len(self.invoices)))
        self.invoices[invoice_id] = Invoice.issue(
            id=invoice_id,
            lines=[line],
            tax_rate=NO_TAX,
            billing_profile_id=POOL,
            number=str(len(self.invoices)),
            reason="purchase",
            issued_on=day,
            due_on=day,
            bill_to=BillTo(country="US"),
            po_number=None,
            currency="USD",
            currency_exponent=2,
        )
        self.lines_touched.add(invoice_id)
        return invoice_id

    def change(self, by: int, day: date) -> bool:
        """By the rules of the services, without the full credit of the first day; whether it was accepted."""
        at, total = noon(day), self.pool.total + by
        try:
            if by > 0:
                self.pool.refuse_increase(total, self.price)
                invoice_id = self.charge("increase", by, self.pool.last_batch + 1, day)
                self.pool.increase(total, self.price, invoice_id=invoice_id, at=at)
            else:
                taken = self.pool.taken_by(total, self.price, at)
                credited = credits_for(taken, self.pool.charges, self.invoices, at, in_full=False)
                for number, (invoice_id, removals) in enumerate(credited.removals.items()):
                    self.invoices[invoice_id].credit(
                        removals,
                        credit_note_id=uuid5(invoice_id, str(number)),
                        number=str(number),
                        reason="licenses_removed",
                        issued_on=day,
                    )
                    self.lines_touched.add(invoice_id)
                self.pool.decrease(total, self.price, credit_note_ids=(), at=at)
        except Refusal:
            return False
        return True

    @property
    def net(self) -> int:
        return sum(invoice.net_minor - invoice.credited_net_minor for invoice in self.invoices.values())


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def exact(price: PriceFacts, licenses: int, period: Period, day: date) -> Fraction:
    """What licenses cost from a day to the end of their cycle, not rounded."""
    return Fraction(price.unit_price_minor * licenses * (period.end - day).days, period.days)


changes = st.lists(st.integers(-9, 9).filter(bool), min_size=1, max_size=6)


@given(
    price=st.integers(0, 5_000),
    licenses=st.integers(1, 30),
    anchor=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    days=st.integers(0, 6),
    orders=changes.flatmap(lambda some: st.tuples(st.permutations(some), st.permutations(some))),
)
def test_the_net_of_a_day_does_not_depend_on_the_order(
    price: int, licenses: int, anchor: date, days: int, orders: tuple[list[int], list[int]]
) -> None:
    facts = POWER_BI_PRO.model_copy(update={"unit_price_minor": price})
    day = anchor + timedelta(days=days)
    for order in orders:
        account = Account(facts, licenses, anchor)
        before = account.net
        account.lines_touched.clear()
        accepted = [by for by in order if account.change(by, day)]
        exactly = exact(facts, sum(accepted), account.cycle, day)
        # Both orders are as near to the same exact sum as their lines are many.
        assert abs(account.net - before - exactly) <= len(account.lines_touched)
        if days == 0:
            assert account.net - before == exactly  # whole cycles are not rounded


@given(
    price=st.integers(0, 5_000),
    licenses=st.integers(1, 30),
    anchor=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    days=st.integers(0, 6),
    by=st.integers(1, 9),
)
def test_adding_and_removing_at_one_instant_nets_to_nothing(
    price: int, licenses: int, anchor: date, days: int, by: int
) -> None:
    account = Account(POWER_BI_PRO.model_copy(update={"unit_price_minor": price}), licenses, anchor)
    before, day = account.net, anchor + timedelta(days=days)
    assert account.change(by, day)
    assert account.change(-by, day)
    assert account.net == before
