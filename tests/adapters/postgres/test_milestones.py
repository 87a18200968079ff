"""Milestones: a question about the past of a long history starts at one, and its answer does not depend on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import psycopg

from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.wall import within
from adapters.replay import state_as_of
from adapters.verification import verify_history
from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization, OrganizationFacts
from projections.audit.replay import StateAt, state_at
from services.command import Actor
from services.ledger import SNAPSHOT_EVERY, Ledger
from services.read_as_of import MILESTONE_EVERY, ReadAsOf, past_of
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_change, a_pool, change_pool, ledger_at, save
from tests.examples import THE_SAME_DAY, resized_to

MAPPER = PydanticMapper(PydanticJSON())
OPERATOR = Actor(id=uuid4(), role="operator")
VERSIONS = 3 * MILESTONE_EVERY + 20
MEMBERS = [Member.add(id=uuid4(), kind="member", details={}) for _ in range(20)]


def turn(pool: LicensePool, member: Member) -> None:
    """The member gets a license, or loses it."""
    if member.id in pool.holders:
        pool.unassign([member.id])
    else:
        pool.assign({member.id: member})


class Long:
    """A pool of a life in minutes; some changes of its size are recorded late, as renewals are."""

    def __init__(self, ledger: Ledger, *, late: int = 0) -> None:
        self.ledger, self.pool = ledger, a_pool(len(MEMBERS))
        facts = OrganizationFacts(handle=f"o{uuid4().hex}", country="US", currency="USD", currency_exponent=2)
        organization = Organization.create(facts, first_admin_id=uuid4())
        self.organization_id = organization.id
        chance = Random(7)  # noqa: S311 - not a secret
        ledger.clock = lambda: at
        at = THE_SAME_DAY
        ledger.save(organization, self.pool, because=a_change(self.organization_id), at=at)
        late_ones = set(chance.sample(range(2, VERSIONS), late))
        while self.pool.version < VERSIONS:
            at += timedelta(minutes=1)
            if self.pool.version in late_ones:
                save(ledger, self.pool, organization_id=self.organization_id)
                resized_to(len(MEMBERS) + chance.randint(1, 9), at)(self.pool)
                effective_at = at - chance.randint(1, 400) * timedelta(minutes=1)
                save(ledger, self.pool, organization_id=self.organization_id, effective_at=effective_at)
                continue
            turn(self.pool, chance.choice(MEMBERS))
            if self.pool.version == VERSIONS or chance.random() < 0.02:
                save(ledger, self.pool, organization_id=self.organization_id)
        self.events = ledger.history.load_events(self.organization_id, self.pool.id)

    def query(self, **moment: Any) -> ReadAsOf:
        return ReadAsOf(
            organization_id=self.organization_id, actor=OPERATOR, aggregate_id=self.pool.id, as_of=AsOf(**moment)
        )

    def asked(self, **moment: Any) -> StateAt | None:
        past = past_of(self.ledger, self.query(**moment))
        return state_at(past.events, MAPPER, AsOf(**moment), start=past.start)

    def replayed(self, **moment: Any) -> StateAt | None:
        return state_at(self.events, MAPPER, AsOf(**moment))

    def moments(self, count: int) -> list[dict[str, Any]]:
        """Of every kind, and one of each at every milestone."""
        chance = Random(11)  # noqa: S311 - likewise
        chosen = [*chance.sample(self.events, count), self.events[249], self.events[500], self.events[-1]]
        kinds: list[Callable[[RecordedEvent], dict[str, Any]]] = [
            lambda event: {"known": event.position},
            lambda event: {"known": event.recorded_time},
            lambda event: {"effective_at": event.envelope.effective_at},
            lambda event: {"effective_at": event.envelope.occurred_at},
            lambda event: {
                "known": event.position,
                "effective_at": event.envelope.effective_at - timedelta(minutes=chance.randint(0, 90)),
            },
        ]
        return [kind(event) for event in chosen for kind in kinds]


def kept(admin: Admin) -> list[int]:
    return [version for (version,) in admin.execute("SELECT version FROM ledger.milestones ORDER BY version")]


def test_the_answer_is_that_of_the_whole_replay_with_milestones_and_without(ledger: Ledger, admin: Admin) -> None:
    long = Long(ledger, late=25)
    moments = long.moments(1)
    expected = [long.replayed(**moment) for moment in moments]
    assert [long.asked(**moment) for moment in moments] == expected
    state_as_of(ledger, long.query(effective_at=long.events[0].envelope.effective_at), MAPPER)  # leaves them
    assert kept(admin) == [250, 500, 750]
    assert [long.asked(**moment) for moment in moments] == expected
    for gone in (500, 250):
        admin.execute("DELETE FROM ledger.milestones WHERE version = %s", (gone,))
        assert [long.asked(**moment) for moment in moments] == expected
    state_as_of(ledger, long.query(known=long.events[748].position), MAPPER)  # from the first event on, up to there
    assert kept(admin) == [250, 500, 750]
    assert [long.asked(**moment) for moment in moments] == expected


def test_few_events_are_read_for_any_moment(ledger: Ledger) -> None:
    long = Long(ledger)
    state_as_of(ledger, long.query(), MAPPER)
    for moment in long.moments(9):
        assert len(past_of(ledger, long.query(**moment)).events) <= 2 * MILESTONE_EVERY


def test_loads_leave_some_on_the_way(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    for _ in range(3):
        for step in range(SNAPSHOT_EVERY):
            resized_to(6 + step % 2, THE_SAME_DAY)(pool)
        save(ledger, pool, organization_id=organization_id)
        ledger.license_pool(organization_id, pool.id)
        change_pool(ledger, a_change(organization_id, pool, 60))
        pool = ledger.license_pool(organization_id, pool.id)
    assert kept(admin) == [251, 502, 753]
    with HistoryReads(dsn_of(admin)) as reads:
        assert [found for found in verify_history(reads) if found.check == "snapshots"] == []


def test_the_first_of_a_long_history_is_kept_without_a_look_at_all_of_it(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = uuid4(), a_pool()
    while pool.version < 2_001:
        for step in range(SNAPSHOT_EVERY):
            resized_to(6 + step % 2, THE_SAME_DAY)(pool)
        save(ledger, pool, organization_id=organization_id)
    ledger.license_pool(organization_id, pool.id)
    of_all = "SELECT version, effective_from FROM ledger.milestones"
    assert admin.execute(of_all).fetchall() == [(pool.version, 0)]


def test_what_was_left_out_on_the_way_leaves_nothing_behind_it(ledger: Ledger) -> None:
    events = Long(ledger, late=9).events
    gap = next(at for at, event in enumerate(events) if event.topic.endswith("LicensesResized"))
    left: list[int] = []
    told = [*events[:gap], *events[gap + 1 :]]
    state_at(told, MAPPER, AsOf(), leave=lambda _, event: left.append(event.originator_version))
    assert left == list(range(1, gap + 1))


def dsn_of(admin: Admin) -> str:
    return psycopg.conninfo.make_conninfo(admin.info.dsn, password=admin.info.password)


def test_one_that_cannot_be_used_is_passed_over_and_replaced(ledger: Ledger, admin: Admin) -> None:
    long = Long(ledger)
    state_as_of(ledger, long.query(), MAPPER)
    at = {"known": long.events[600].position}
    good = long.asked(**at)
    for damage in (
        b"shape = 'other'",
        b"topic = 'seatledger.Nothing'",
        b"topic = 'seatledger.Subscription'",
        b"state = '{}'",
    ):
        admin.execute(b"UPDATE ledger.milestones SET " + damage)
        assert state_as_of(ledger, long.query(**at), MAPPER) == good == long.replayed(**at)
    admin.execute("UPDATE ledger.milestones SET shape = 'other'")
    state_as_of(ledger, long.query(), MAPPER)
    admin.execute("DELETE FROM ledger.milestones WHERE version <> 500")
    past = past_of(ledger, long.query(**at))
    assert past.start
    assert past.start.version == 500


def test_a_false_one_is_named(ledger: Ledger, admin: Admin) -> None:
    long = Long(ledger)
    state_as_of(ledger, long.query(), MAPPER)
    admin.execute(
        "UPDATE ledger.milestones SET state = convert_to(replace(convert_from(state, 'UTF8'),"
        " '\"closed\":false', '\"closed\":true'), 'UTF8') WHERE version = 750"
    )
    with HistoryReads(dsn_of(admin)) as reads:
        found = [one for one in verify_history(reads) if one.check == "snapshots"]
    assert [(one.key, one.what) for one in found] == [
        (f"milestone 750 of {long.pool.id}", "closed differ from the replay")
    ]


def test_they_take_no_more_room_than_history(ledger: Ledger, admin: Admin) -> None:
    """A state of 600 KiB is kept at every 600th version at most."""
    long = Long(ledger)
    state_as_of(ledger, long.query(), MAPPER)
    admin.execute("DELETE FROM ledger.milestones")
    keep = (
        "SELECT ledger.keep_milestone(organization_id, originator_id, %s, 'x', 'x', convert_to(repeat('x', 614400),"
        " 'UTF8'), 0) FROM ledger.events WHERE originator_id = %s AND originator_version = 1"
    )
    for version in (250, 599, 600, 770, 2_000):  # of which history has no 2,000
        admin.execute(keep, (version, long.pool.id))
    assert kept(admin) == [600]


def test_behind_the_wall_they_are_kept_and_used_and_those_of_others_do_not_show(ledger: Ledger, admin: Admin) -> None:
    long, other = Long(ledger), uuid4()
    with ledger_at(dsn_of(admin), walled=True) as walled:
        with within(long.organization_id):
            state_as_of(walled, long.query(), MAPPER)
            assert past_of(walled, long.query()).start
        admin.execute("UPDATE ledger.milestones SET organization_id = %s", (other,))
        with within(long.organization_id):
            assert past_of(walled, long.query()).start is None
    assert kept(admin) == [250, 500, 750]
