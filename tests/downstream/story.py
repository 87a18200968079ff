"""A year of three organizations, and what recurs in it: looked up in the aggregates, act by act, and not in events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from domain.license_pool import LicensePool
from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import FOR_A_YEAR, PAID_YEARLY, Clock, Contoso
from tests.services.on_sale import import_power_bi

BEGINS = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
PRODUCT = POWER_BI_PRO_PRODUCT.product_id
# A year's price that no month divides.
ODD: dict[str, Any] = {"unit_price_minor": 1_001, "term": "P1Y", "plan": "annual"}

Recurs = dict[UUID, tuple[str, Fraction]]


@dataclass
class Story:
    """Organizations that act one after the other; `movements` by month, product and kind, in minor units a month."""

    clock: Clock
    organizations: list[Contoso]
    recurs: Recurs = field(default_factory=dict)
    movements: dict[tuple[str, str, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))

    @contextmanager
    def act(self, contoso: Contoso, begins: str = "new") -> Iterator[None]:
        """What the act changed of what recurs, by subscription."""
        yield
        now = recurring(contoso)
        month = f"{contoso.clock.now:%Y-%m}"
        for subscription_id, (product_id, after) in now.items():
            _, before = self.recurs.get(subscription_id, (product_id, Fraction(0)))
            if after != before:
                kind = kind_of(before, after) or begins
                self.movements[month, product_id, kind] += after - before
            self.recurs[subscription_id] = product_id, after

    def on(self, day: date) -> None:
        self.clock.now = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)

    def buys(self, contoso: Contoso, licenses: int, **content: Any) -> UUID:
        with self.act(contoso):
            return contoso.buys(licenses, **content)

    def resizes(self, contoso: Contoso, subscription_id: UUID, total: int) -> None:
        with self.act(contoso):
            content = {"subscription_id": subscription_id, "total": total}
            contoso.run(contoso.command(ResizeLicenses, contoso.buyer, **content))

    def cancels(self, contoso: Contoso, subscription_id: UUID, when: str) -> None:
        with self.act(contoso):
            content = {"subscription_id": subscription_id, "when": when, "reason": "other"}
            contoso.run(contoso.command(CancelSubscription, contoso.buyer, **content))

    def advances(self) -> None:
        """All that is due by now."""
        for contoso in self.organizations:
            with self.act(contoso):
                contoso.advances(self.clock.now.date())

    @property
    def closing(self) -> dict[str, Fraction]:
        """What recurs now, by product."""
        total: dict[str, Fraction] = defaultdict(Fraction)
        for product_id, amount in self.recurs.values():
            total[product_id] += amount
        return dict(total)


def recurring(contoso: Contoso) -> Recurs:
    """What each subscription comes to in a month, as the aggregates are now; 0 where it has ended."""
    pools = {pool.subscription_id: pool for pool in contoso.every(LicensePool)}
    found: Recurs = {}
    for one in contoso.every(Subscription):
        earns = one.life in {"active", "in_grace"}
        months = {"monthly": 1, "annual": 12}[one.price.plan]
        amount = Fraction(pools[one.id].total * one.price.unit_price_minor, months) if earns else Fraction(0)
        found[one.id] = one.product.product_id, amount
    return found


def kind_of(before: Fraction, after: Fraction) -> str | None:
    """None where it begins: how, the act says."""
    if before == 0:
        return None
    if after == 0:
        return "churn"
    return "expansion" if after > before else "contraction"


@contextmanager
def a_story(url: str) -> Iterator[Story]:
    """On a migrated database; nothing has happened yet but that the organizations and the catalog are there."""
    clock = Clock(BEGINS)
    ledger = open_ledger(url, pool_size=3, clock=clock, fingerprint_key=b"of the tests")
    try:
        import_power_bi(ledger)
        directory = PersonalDirectory(ledger.recorder.datastore)  # type: ignore[attr-defined]
        yield Story(clock, [Contoso.founded(ledger, directory, clock) for _ in range(3)])
    finally:
        ledger.close()


def tell(story: Story) -> None:
    """Purchases of every plan, resizes, renewals with another total, failures, ends, and one that comes back."""
    first, second, third = story.organizations
    monthly = story.buys(first, 100)
    yearly = story.buys(first, 7, terms=FOR_A_YEAR)
    paid_yearly = story.buys(second, 5, terms=PAID_YEARLY)
    odd = story.buys(second, 5, terms=second.lists(**ODD))
    failing = story.buys(third, 10)
    ending = story.buys(third, 4)
    story.on(date(2025, 2, 3))
    story.resizes(first, monthly, 105)
    story.resizes(first, monthly, 102)
    story.resizes(second, odd, 6)
    story.cancels(third, ending, "term_end")
    with story.act(first):
        first.run(first.command(ScheduleLicenses, first.buyer, subscription_id=monthly, total=90))
    third.changes_card("tok_declined_insufficient_funds")
    story.on(date(2025, 2, 28))
    story.advances()
    story.on(date(2025, 3, 30))
    story.advances()
    assert third.subscription(failing).life == "disabled"
    story.on(date(2025, 3, 31))
    story.advances()
    gone = story.buys(second, 11)
    story.on(date(2025, 4, 1))
    story.cancels(second, gone, "now")
    story.on(date(2025, 4, 2))
    with story.act(second, begins="reactivation"):
        second.run(second.command(ReactivateSubscription, second.buyer, subscription_id=gone))
    story.resizes(second, paid_yearly, 12)
    story.resizes(first, yearly, 8)


def keeps_writing(story: Story, stop: Callable[[], bool]) -> None:
    """One purchase after the other, each resized, until it is told to stop."""
    number = 0
    while not stop():
        story.clock.now += timedelta(seconds=1)
        contoso = story.organizations[number % len(story.organizations[:2])]
        bought = story.buys(contoso, 2, command_id=uuid4())
        story.resizes(contoso, bought, 3)
        number += 1
