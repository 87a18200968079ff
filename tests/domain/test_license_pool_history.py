"""Whatever is asked of a license pool, in whatever order: what holds after every step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.calendar import cycle
from domain.kernel import replay
from domain.license_pool import LicensePool
from domain.refusals import Refusal
from tests.examples import ANOTHER_INVOICE, POOL, POWER_BI_PRO, PURCHASED_AT, an_id, candidates, opening
from tests.scenario import stored_and_back

SOME_MEMBERS = [an_id(number) for number in range(100, 112)]
members = st.lists(st.sampled_from(SOME_MEMBERS), max_size=6)
totals = st.integers(-1, 14)
PRICE = POWER_BI_PRO.model_copy(update={"maximum": 12})


class PoolHistory(RuleBasedStateMachine):
    """A pool as it lives, beside what a reader of its history knows."""

    @initialize(total=st.integers(1, 12))
    def opened(self, total: int) -> None:
        self.now = PURCHASED_AT
        self.pool = opening(total=total, price=PRICE)
        self.history = stored_and_back(self.pool.collect_events())
        self.snapshots: dict[int, bytes] = {}
        self.months = 0
        # The model: who holds, oldest first; what is left of each batch, and since when.
        self.held: list[UUID] = []
        self.bought: list[tuple[int, datetime]] = [(total, self.now)]

    @rule(hours=st.sampled_from([1, 24, 167, 168, 200]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(microseconds=st.sampled_from([-1, 0]))
    def the_next_window_closes(self, microseconds: int) -> None:
        ends = [at + timedelta(days=7) for _, at in self.bought]
        later = [end + timedelta(microseconds=microseconds) for end in ends if end > self.now]
        self.now = max(self.now, min(later, default=self.now))

    @rule(member_ids=members)
    def assign(self, member_ids: list[UUID]) -> None:
        wanting = [member_id for member_id in dict.fromkeys(member_ids) if member_id not in self.held]
        if self.asked(lambda: self.pool.assign(candidates(*member_ids))):
            self.held += wanting
        else:
            assert wanting
            assert len(self.held) + len(wanting) > self.pool.total

    @rule(member_ids=members)
    def unassign(self, member_ids: list[UUID]) -> None:
        assert self.asked(lambda: self.pool.unassign(member_ids))
        self.held = [member_id for member_id in self.held if member_id not in member_ids]

    @rule(total=totals | st.just(None))
    def resize(self, total: int | None) -> None:
        before = sum(licenses for licenses, _ in self.bought)
        total = before if total is None else total
        removable = sum(licenses for licenses, at in self.bought if self.now < at + timedelta(days=7))
        fits = total >= before or (total >= len(self.held) and total >= before - removable)
        possible = 1 <= total <= 12 and fits
        assert self.asked(lambda: self.resized(total)) == possible
        if possible and total > before:
            self.bought.append((total - before, self.now))
        elif possible:
            self.take(before - total)

    @rule(total=st.integers(1, 12))
    def renews(self, total: int) -> None:
        """With what was scheduled, whoever holds a license."""
        self.months += 1
        month = cycle(PURCHASED_AT.date(), "monthly", self.months)
        assert self.asked(
            lambda: self.pool.renew(
                total, PRICE, invoice_id=ANOTHER_INVOICE, line=1, cycle=month, term=month, at=self.now
            )
        )
        self.bought = [(total, self.now)]

    @rule()
    def the_excess_ends(self) -> None:
        assert self.asked(self.pool.unassign_excess)
        self.held = self.held[: self.pool.total]

    def resized(self, total: int) -> None:
        if total > self.pool.total:
            self.pool.increase(total, PRICE, invoice_id=ANOTHER_INVOICE, at=self.now)
        else:
            self.pool.decrease(total, PRICE, credit_note_ids=[], at=self.now)

    def take(self, count: int) -> None:
        """The newest go first."""
        left = []
        for licenses, at in reversed(self.bought):
            taken = min(count, licenses)
            count -= taken
            left.append((licenses - taken, at))
        self.bought = left[::-1]

    def asked(self, question: Callable[[], None]) -> bool:
        """Whether it was accepted; what is refused changes nothing."""
        before = self.pool.freeze()
        try:
            question()
        except Refusal:
            assert self.pool.freeze() == before
            assert not self.pool.pending_events
            return False
        self.history += stored_and_back(self.pool.collect_events())
        return True

    @invariant()
    def nobody_holds_more_than_there_is_but_after_a_renewal_with_fewer(self) -> None:
        assert self.pool.assigned <= self.pool.total or self.pool.over_assigned_until == self.pool.cycle.end
        assert self.pool.free - self.pool.excess == self.pool.total - self.pool.assigned
        assert not (self.pool.free and self.pool.excess)

    @invariant()
    def what_is_charged_reaches_from_the_cycle_before_to_the_one_that_runs(self) -> None:
        assert self.pool.charged_until == max(charge.cycle.end for charge in self.pool.charges)
        assert {charge.batch for charge in self.pool.charges} >= {batch.number for batch in self.pool.batches[-1:]}

    @invariant()
    def the_batches_add_up_to_the_total(self) -> None:
        assert sum(batch.licenses for batch in self.pool.batches) == self.pool.total
        numbers = [batch.number for batch in self.pool.batches]
        assert numbers == sorted(set(numbers))

    @invariant()
    def the_pool_is_what_the_model_says(self) -> None:
        assert list(self.pool.holders) == self.held
        assert [(batch.licenses, batch.opened_at) for batch in self.pool.batches] == [
            (licenses, at) for licenses, at in self.bought if licenses
        ]

    @invariant()
    def a_snapshot_is_the_pool(self) -> None:
        frozen = self.pool.freeze()
        assert self.thawed(frozen, self.pool.version) == self.pool
        self.snapshots[self.pool.version] = frozen

    def teardown(self) -> None:
        """From the beginning, and from every snapshot on, history replays into the living pool."""
        assert replay(self.history) == self.pool
        for version, frozen in self.snapshots.items():
            assert replay(self.history[version:], self.thawed(frozen, version)) == self.pool

    @staticmethod
    def thawed(frozen: bytes, version: int) -> LicensePool:
        return LicensePool.thaw(frozen, id=POOL, version=version)


TestPoolHistory = PoolHistory.TestCase
TestPoolHistory.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
