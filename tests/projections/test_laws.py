"""Rebuild = live, and both say what the aggregates say, for any history."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.license_pool import LicensePool
from domain.member import Member
from domain.refusals import Refusal
from domain.subscription import Subscription
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignments
from projections.due_work import DUE_WORK, DueWork
from projections.projection import Projection
from projections.purchases import PURCHASES, Purchases
from projections.read_models import READ_MODELS
from tests.examples import POWER_BI_PRO, PURCHASED_AT, an_id, buying
from tests.projections.histories import CONTOSO_ID, History, ReadModel

MEMBERS = [an_id(number) for number in range(101, 105)]
SUBSCRIPTIONS = [an_id(number) for number in range(201, 203)]

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "assign",
                "unassign",
                "resize",
                "schedule",
                "withdraw",
                "off",
                "on",
                "cancel_later",
                "cancel_now",
                "remove",
                "restore",
            ]
        ),
        st.integers(0, 1),  # which subscription
        st.integers(0, 3),  # which member, or how many licenses
    ),
    max_size=40,
)


class Story:
    """Two subscriptions of four members, and what happens to them. What is refused does not happen."""

    def __init__(self, steps: list[Step]) -> None:
        self.history = History()
        self.at = PURCHASED_AT
        self.subscriptions: list[Subscription] = []
        self.pools: list[LicensePool] = []
        self.members = {member_id: Member.add(id=member_id, kind="member", details={}) for member_id in MEMBERS}
        for number, subscription_id in enumerate(SUBSCRIPTIONS):
            self._buy(subscription_id, an_id(301 + number))
        self.history.tell(*self.members.values(), *self.subscriptions, *self.pools, at=self.at)
        for name, which, number in steps:
            self.at += timedelta(hours=7)
            self._do(name, self.subscriptions[which], self.pools[which], number)
            self.history.tell(*self.members.values(), *self.subscriptions, *self.pools, at=self.at)

    def _buy(self, subscription_id: Any, pool_id: Any) -> None:
        subscription = buying(id=subscription_id, pool_id=pool_id)()
        self.subscriptions.append(subscription)
        self.pools.append(
            LicensePool.open(id=pool_id, subscription_id=subscription_id, total=3, price=POWER_BI_PRO, at=self.at)
        )

    def _do(self, name: str, subscription: Subscription, pool: LicensePool, number: int) -> None:
        member = self.members[MEMBERS[number]]

        def cancel_now() -> None:
            subscription.cancel_now(reason="other", feedback=None, licenses=pool.total, removable_now=0, at=self.at)
            pool.close("cancelled")

        def assign() -> None:
            subscription.refuse_unless("assign")
            pool.assign({member.id: member})

        def resize() -> None:
            subscription.refuse_unless("increase")
            pool.resize(number + 1, POWER_BI_PRO, self.at)

        acts: dict[str, Callable[[], None]] = {
            "assign": assign,
            "unassign": lambda: pool.unassign([member.id]),
            "resize": resize,
            "schedule": lambda: subscription.schedule_licenses(number + 1),
            "withdraw": subscription.withdraw_scheduled_licenses,
            "off": subscription.turn_recurring_billing_off,
            "on": subscription.turn_recurring_billing_on,
            "cancel_later": lambda: subscription.cancel_at_term_end(
                reason="other", feedback=None, licenses=pool.total, at=self.at
            ),
            "cancel_now": cancel_now,
            "remove": member.remove,
            "restore": member.restore,
        }
        with suppress(Refusal):
            acts[name]()


@settings(max_examples=60, deadline=None)
@given(STEPS, st.data())
def test_a_rebuild_in_batches_of_any_size_equals_the_live_fold(steps: list[Step], data: st.DataObject) -> None:
    events = Story(steps).history.events
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=5)))
    for projection in READ_MODELS:
        live = ReadModel(projection)
        for event in events:
            live.fold([event])
        rebuilt = ReadModel(projection)
        for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
            rebuilt.fold(events[start:end])
        assert rebuilt.tables == live.tables


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_read_models_say_what_the_aggregates_say(steps: list[Step]) -> None:
    story = Story(steps)

    def model(projection: Projection) -> ReadModel:
        return ReadModel(projection).fold(story.history.events)

    purchases, assignments, due_work = model(Purchases()), model(Assignments()), model(DueWork())
    closed = {row.pool_id for row in assignments[CLOSED_POOLS]}
    for subscription, pool in zip(story.subscriptions, story.pools, strict=True):
        row = purchases.one(PURCHASES, subscription.id)
        assert (row.state, row.recurring_billing) == (subscription.life, subscription.recurring_billing)
        assert row.cancellation_scheduled == subscription.cancellation_scheduled
        assert row.scheduled_total == subscription.scheduled_total
        assert (row.licenses_total, row.licenses_assigned) == (pool.total, pool.assigned)
        held = sorted((a for a in assignments[ASSIGNMENTS] if a.pool_id == pool.id), key=lambda a: a.assigned_seq)
        assert (pool.id in closed) == pool.closed
        assert pool.closed or [a.member_id for a in held] == list(pool.holders)
        assert ((CONTOSO_ID, "term_end", subscription.id) in due_work.tables[DUE_WORK]) == (
            subscription.life == "active"
        )
        scheduled = due_work.one(DUE_WORK, "scheduled_change", subscription.id)
        assert (scheduled is not None) == (subscription.scheduled_total is not None)
    for past in assignments[PAST_ASSIGNMENTS]:
        assert past.assigned_at <= past.unassigned_at
    for member in story.members.values():
        released = due_work.one(DUE_WORK, "release_licenses", member.id)
        assert (released is not None) == (member.status == "removed")
