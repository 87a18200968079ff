"""Queries on real read tables: filters, pages, days, and reading one's own writes."""

import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid5

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.projector import Projector
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.workers.projector import run
from projections.purchases import Purchase
from services.ports_reads import NeverTold, NotYet, PurchaseCursor, PurchaseFilter, PurchaseRow
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID, World, a_world
from tests.examples import A_MEMBER, BEN, CHRIS, POWER_BI_PRO, POWER_BI_PRO_PRODUCT, PURCHASED_AT

ALL = PurchaseFilter()
FABRIC = POWER_BI_PRO_PRODUCT.model_copy(update={"product_id": "CFQ7TTC0LH2H", "name": "Another Product"})
FABRIC_PRICE = POWER_BI_PRO.model_copy(update={"product_id": FABRIC.product_id})


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


def subscriptions(*numbers: int, of: UUID = CONTOSO_ID) -> list[UUID]:
    return [uuid5(of, f"subscription {number}") for number in numbers]


def test_a_row_of_the_port_is_a_part_of_a_row_of_the_table() -> None:
    assert set(PurchaseRow.model_fields) == set(Purchase._fields) - {"organization_id"} | {"ownerless"}


def test_each_filter_finds_its_purchases_and_no_other_organizations(world: World) -> None:
    ben = A_MEMBER.func(id=BEN, kind="member", details={})
    world.buy(1)
    world.buy(2, channel="central")
    world.buy(3, product=FABRIC, price=FABRIC_PRICE)
    world.buy(4, purchaser=ben)
    cancelled, pool, _ = world.buy(5)
    world.cancel(cancelled, pool)
    _, _, position = world.buy(1, of=FABRIKAM_ID)

    def found(**where: object) -> list[UUID]:
        page = world.purchases.list(CONTOSO_ID, PurchaseFilter.model_validate(where), at_least=position)
        return [row.subscription_id for row in page.rows]

    assert found() == subscriptions(1, 2, 3, 4, 5)
    assert found(channel="self_service") == subscriptions(1, 3, 4, 5)
    assert found(product_id=FABRIC.product_id) == subscriptions(3)
    assert found(purchaser_id=BEN) == subscriptions(4)
    assert found(state="disabled") == subscriptions(5)
    assert found(ends_before=date(2025, 2, 1)) == subscriptions(5)
    assert found(ends_before=date(2025, 3, 1), channel="central") == subscriptions(2)
    assert world.purchases.one(FABRIKAM_ID, subscriptions(1)[0]) is None
    assert world.purchases.one(FABRIKAM_ID, *subscriptions(1, of=FABRIKAM_ID)) is not None


def test_pages_follow_each_other_without_gap_or_overlap(world: World) -> None:
    for number in range(7):
        _, _, position = world.buy(number)
    pages: list[list[UUID]] = []
    after: PurchaseCursor | None = None
    while not pages or after:
        page = world.purchases.list(CONTOSO_ID, ALL, after=after, limit=3, at_least=position)
        pages.append([row.subscription_id for row in page.rows])
        after = page.following
    assert pages == [subscriptions(0, 1, 2), subscriptions(3, 4, 5), subscriptions(6)]


def test_licenses_are_summed_over_what_still_gives_some(world: World) -> None:
    people = world.members(range(2))
    _, pool, _ = world.buy(1)
    pool.assign(people)
    world.tell(pool)
    world.buy(2)
    cancelled, gone, _ = world.buy(3)
    world.cancel(cancelled, gone)
    _, _, position = world.buy(4, product=FABRIC, price=FABRIC_PRICE)
    mine = PurchaseFilter(purchaser_id=CHRIS)
    sums = world.purchases.licenses_by_product(CONTOSO_ID, mine, at_least=position)
    assert [(s.product_name, s.subscriptions, s.licenses_total, s.licenses_assigned) for s in sums] == [
        ("Another Product", 1, 3, 0),
        ("Power BI Pro", 2, 6, 2),
    ]
    assert world.purchases.licenses_by_product(CONTOSO_ID, PurchaseFilter(purchaser_id=BEN)) == []


def test_who_holds_a_license_now_and_who_held_one_on_a_day(world: World) -> None:
    one, two, three = people = list(world.members(range(3)).items())
    subscription, pool, _ = world.buy(1)
    day = timedelta(days=1)
    pool.assign(dict(people))
    world.tell(pool, at=PURCHASED_AT + day)  # February 1
    pool.unassign([one[0]])
    world.tell(pool, at=PURCHASED_AT + 3 * day)  # February 3
    pool.assign(dict([one]))
    position = world.tell(pool, at=PURCHASED_AT + 5 * day)  # February 5

    def on(day: int) -> list[UUID]:
        held = world.purchases.assigned_on(CONTOSO_ID, subscription.id, date(2025, 2, day), at_least=position)
        return [row.member_id for row in held]

    now = world.purchases.assigned(CONTOSO_ID, subscription.id, at_least=position)
    assert [row.member_id for row in now] == [two[0], three[0], one[0]]
    first = world.purchases.assigned(CONTOSO_ID, subscription.id, limit=1)
    rest = world.purchases.assigned(CONTOSO_ID, subscription.id, after_seq=first[0].assigned_seq)
    assert [row.member_id for row in [*first, *rest]] == [two[0], three[0], one[0]]
    assert world.purchases.assigned_on(CONTOSO_ID, subscription.id, date(2025, 1, 31)) == []
    assert on(1) == on(2) == on(3) == [one[0], two[0], three[0]]
    assert on(4) == [two[0], three[0]]
    assert on(5) == [two[0], three[0], one[0]]
    pool.close("cancelled")
    position = world.tell(pool, at=PURCHASED_AT + 7 * day)
    assert world.purchases.assigned(CONTOSO_ID, subscription.id, at_least=position) == []
    assert on(7) == [two[0], three[0], one[0]]
    assert on(8) == []


def test_holdings_end_with_their_pool_and_what_is_due_follows(world: World) -> None:
    (member_id, member), other = world.members(range(2)).items()
    assert member
    _, first, _ = world.buy(1)
    _, second, _ = world.buy(2)
    for pool in (first, second):
        pool.assign(dict([(member_id, member), other]))
    member.remove()
    position = world.tell(first, second, member)
    removed_on = world.at.date()

    def releases() -> list[UUID]:
        due = world.due_work.due(removed_on, at_least=position)
        return [item.subject_id for item in due if item.kind == "release_licenses"]

    assert world.holdings.pools_of(CONTOSO_ID, member_id, at_least=position) == [first.id, second.id]
    assert releases() == [member_id]
    first.unassign([member_id], reason="member_removed")
    position = world.tell(first)
    assert world.holdings.pools_of(CONTOSO_ID, member_id, at_least=position) == [second.id]
    assert releases() == [member_id]
    second.close("cancelled")
    position = world.tell(second)
    assert world.holdings.pools_of(CONTOSO_ID, member_id, at_least=position) == []
    assert releases() == []


def test_due_work_comes_in_pages_earliest_first(world: World) -> None:
    for number in range(3):
        _, _, position = world.buy(number)
    until = date(2025, 3, 1)
    everything = world.due_work.due(until, at_least=position)
    assert sorted(everything) == list(everything)
    assert {item.subject_id for item in everything} == set(subscriptions(0, 1, 2))
    first = world.due_work.due(until, limit=2)
    assert [*first, *world.due_work.due(until, after=first[-1])] == list(everything)
    assert world.due_work.due(date(2025, 2, 27)) == []


def test_what_a_member_who_has_left_bought_is_ownerless_until_it_is_taken_over_or_ends(world: World) -> None:
    ben = A_MEMBER.func(id=BEN, kind="member", details={})
    world.buy(1)
    owned, _, _ = world.buy(2, purchaser=ben)
    ended, pool, _ = world.buy(3, purchaser=ben)
    world.cancel(ended, pool)
    ben.remove()
    position = world.tell(ben)

    def found(**where: object) -> list[UUID]:
        page = world.purchases.list(CONTOSO_ID, PurchaseFilter.model_validate(where), at_least=position)
        return [row.subscription_id for row in page.rows]

    assert found(ownerless=True) == subscriptions(2)
    assert found(ownerless=False) == subscriptions(1, 3)
    row = world.purchases.one(CONTOSO_ID, owned.id)
    assert row is not None
    assert row.ownerless
    owned.adopt(purchaser_id=CHRIS, billing_profile_id=owned.billing_profile_id, reason="purchaser_left")
    position = world.tell(owned)
    assert found(ownerless=True) == []
    assert found(purchaser_id=CHRIS, channel="central") == subscriptions(2)


def test_a_command_is_seen_by_the_next_query_where_no_projector_runs(world: World) -> None:
    for number in range(5):
        subscription, _, position = world.buy(number)
        assert world.purchases.one(CONTOSO_ID, subscription.id, at_least=position)


def test_a_command_is_seen_by_the_next_query_while_a_projector_runs(world: World) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(world.url, stop))
    worker.start()
    try:
        for number in range(30):
            subscription, _, position = world.buy(number)
            assert world.purchases.one(CONTOSO_ID, subscription.id, at_least=position)
    finally:
        stop.set()
        worker.join()


def test_a_query_that_waited_too_long_says_so_and_that_it_may_be_sent_again(world: World) -> None:
    _, _, before = world.buy(1)
    with Projector(world.url) as stuck, ReadModels(world.url, wait_s=0.3) as models:
        stuck.catch_up(["purchases"], before, timeout_s=5)
        _, _, position = world.buy(2)
        with pytest.raises(NotYet, match=rf"purchases is at position {before}, not yet at {position} .* ask again"):
            PurchaseReads(models).list(CONTOSO_ID, ALL, at_least=position)
        assert len(PurchaseReads(models).list(CONTOSO_ID, ALL).rows) == 1  # who does not ask for it gets what there is


def test_a_position_that_never_was_is_not_waited_for(world: World) -> None:
    _, _, position = world.buy(1)
    started = time.monotonic()
    with ReadModels(world.url, wait_s=60) as models, pytest.raises(NeverTold):
        PurchaseReads(models).list(CONTOSO_ID, ALL, at_least=position + 1_000)
    assert time.monotonic() - started < 30


def test_a_table_that_an_earlier_release_did_not_have_is_built_and_not_asked_for_without_end(world: World) -> None:
    subscription, _, position = world.buy(1)
    assert world.purchases.one(CONTOSO_ID, subscription.id, at_least=position)
    with psycopg.connect(world.url, autocommit=True) as owner:
        owner.execute("DROP TABLE projections.purchases_b1")
        owner.execute("UPDATE projections.builds SET version = version - 1 WHERE projection = 'purchases'")
    assert world.purchases.one(CONTOSO_ID, subscription.id, at_least=position)
    assert [build.build for build in world.models.builds() if build.projection == "purchases"][-1] == 2
