"""Snapshots: kept by who loads a long history, equal to replay, and never in the way of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.domain import event
from eventsourcing.persistence import StoredEvent

from domain.holders import Holders
from domain.kernel import Aggregate, AggregateBorn
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization, OrganizationFacts
from services.ledger import SNAPSHOT_EVERY, Ledger, snapshot_of
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_change, a_pool, change_pool, save
from tests.examples import THE_SAME_DAY, resized_to


class Invented(Aggregate):
    """An aggregate of these tests alone, with the types that a naive snapshot loses."""

    TOPIC: ClassVar[str] = "tests.Invented"

    class Made(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "tests.Invented.Made"
        price: Decimal

    class Marked(Aggregate.Event):
        TOPIC: ClassVar[str] = "tests.Invented.Marked"
        class_version: ClassVar[int] = 3
        day: date
        by: UUID
        note: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["day"] = state.pop("on")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["note"] = "none was kept"

    class State(Aggregate.State):
        price: Decimal
        days: dict[date, set[UUID]]
        notes: tuple[str, ...]

    @event(Made)
    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.days: dict[date, set[UUID]] = {}
        self.notes: tuple[str, ...] = ()

    @event(Marked)
    def _marked(self, day: date, by: UUID, note: str) -> None:
        self.days.setdefault(day, set()).add(by)
        self.notes = (*self.notes[-3:], note)


def state_of(aggregate: Aggregate) -> dict[str, Any]:
    return {name: getattr(aggregate, name) for name in type(aggregate).State.model_fields}


def long_lived(ledger: Ledger, changes: int = SNAPSHOT_EVERY + 10) -> tuple[UUID, LicensePool]:
    """A pool with more history than one load likes to replay."""
    organization_id, pool = uuid4(), a_pool()
    members = [Member.add(id=uuid4(), kind="member", details={}) for _ in range(5)]
    pool.assign({member.id: member for member in members})
    for step in range(changes):
        resized_to(6 + step % 2, THE_SAME_DAY)(pool)
    save(ledger, pool, organization_id=organization_id)
    return organization_id, pool


@contextmanager
def counted_replays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many events each load replays."""
    counts: list[int] = []
    replayed = ledger._replayed
    with monkeypatch.context() as patched:

        def counting(events: Sequence[Any], start: Any = None) -> Any:
            counts.append(len(events))
            return replayed(events, start)

        patched.setattr(ledger, "_replayed", counting)
        yield counts


def test_the_loader_keeps_one_after_many_events_and_the_next_load_starts_there(
    ledger: Ledger, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization_id, pool = long_lived(ledger)
    assert admin.execute("SELECT count(*) FROM ledger.snapshots").fetchone() == (0,)
    with counted_replays(ledger, monkeypatch) as replays:
        first = ledger.license_pool(organization_id, pool.id)
        change_pool(ledger, a_change(organization_id, pool, 60))
        second = ledger.license_pool(organization_id, pool.id)
    assert replays == [pool.version, 0, 1]
    assert admin.execute("SELECT version FROM ledger.snapshots").fetchone() == (pool.version,)
    assert state_of(first) == state_of(pool)
    assert (second.total, second.version, second.occurred_at is not None) == (60, pool.version + 1, True)
    assert list(second.holders) == list(pool.holders)


def test_a_short_history_keeps_none(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = long_lived(ledger, changes=20)
    ledger.license_pool(organization_id, pool.id)
    assert admin.execute("SELECT count(*) FROM ledger.snapshots").fetchone() == (0,)


@pytest.mark.parametrize(
    "damage",
    [
        {"shape": b"of another release"},
        {"topic": "seatledger.Subscription"},
        {"state": b"not json"},
        {"state": b'{"total": "many"}'},
        {"state": b""},
    ],
    ids=["another shape", "another topic", "garbage", "wrong types", "nothing"],
)
def test_one_that_cannot_be_used_is_passed_over_and_replaced(
    ledger: Ledger, admin: Admin, monkeypatch: pytest.MonkeyPatch, damage: dict[str, Any]
) -> None:
    organization_id, pool = long_lived(ledger)
    good = snapshot_of(ledger.license_pool(organization_id, pool.id))
    ledger.history.keep_snapshot(organization_id, pool.id, replace(good, **damage))
    with counted_replays(ledger, monkeypatch) as replays:
        assert state_of(ledger.license_pool(organization_id, pool.id)) == state_of(pool)
        assert state_of(ledger.license_pool(organization_id, pool.id)) == state_of(pool)
    assert replays == [pool.version, 0]
    assert admin.execute("SELECT topic, shape, state FROM ledger.snapshots").fetchone() == (
        good.topic,
        good.shape,
        good.state,
    )


def test_holders_that_were_cut_are_passed_over(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = long_lived(ledger)
    ledger.license_pool(organization_id, pool.id)
    packed = Holders(b"".join(holder.bytes for holder in pool.holders)).packed()
    admin.execute(
        "UPDATE ledger.snapshots SET state = convert_to(replace(convert_from(state, 'UTF8'), %s, %s), 'UTF8')",
        (packed, packed[:20]),
    )
    assert list(ledger.license_pool(organization_id, pool.id).holders) == list(pool.holders)


def test_it_never_goes_back_and_never_runs_ahead_of_history(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = long_lived(ledger)
    snapshot = snapshot_of(ledger.license_pool(organization_id, pool.id))
    for version in (snapshot.version - 1, snapshot.version + 1, 0):
        ledger.history.keep_snapshot(organization_id, pool.id, replace(snapshot, version=version, state=b"{}"))
    assert admin.execute("SELECT version, state FROM ledger.snapshots").fetchone() == (
        snapshot.version,
        snapshot.state,
    )
    ledger.history.keep_snapshot(uuid4(), pool.id, snapshot)  # another organization has no such history
    assert admin.execute("SELECT count(*) FROM ledger.snapshots").fetchone() == (1,)


def test_one_that_cannot_be_kept_does_not_stop_the_load(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = long_lived(ledger)
    admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET default_transaction_read_only = on')
    admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'seatledger'")
    assert ledger.license_pool(organization_id, pool.id).version == pool.version
    admin.execute(f'ALTER DATABASE "{admin.info.dbname}" RESET default_transaction_read_only')


def test_every_type_survives(ledger: Ledger, admin: Admin) -> None:
    organization_id, marked_by = uuid4(), [uuid4(), uuid4()]
    invented = Invented.born(Invented.Made, id=uuid4(), price=Decimal("9.90"))
    for step in range(SNAPSHOT_EVERY + 1):
        invented.tell(Invented.Marked, day=date(2024, 2, 28 + step % 2), by=marked_by[step % 2], note=f"note {step}")
    ledger.save(invented, because=a_change(organization_id), at=ledger.now())
    replayed, thawed = (ledger.get(Invented, organization_id, invented.id) for _ in range(2))
    assert admin.execute("SELECT version FROM ledger.snapshots").fetchone() == (invented.version,)
    assert state_of(thawed) == state_of(replayed) == state_of(invented)
    assert (type(thawed.price), thawed.price.as_tuple()) == (Decimal, Decimal("9.90").as_tuple())
    assert {type(day) for day in thawed.days} == {date}
    assert {type(ids) for ids in thawed.days.values()} == {set}
    assert thawed.occurred_at == replayed.occurred_at == invented.occurred_at
    thawed.tell(Invented.Marked, day=date(2024, 3, 1), by=marked_by[0], note="and on")
    assert ledger.save(thawed, because=a_change(organization_id), at=ledger.now()).events == 1


def test_an_organization_with_roles_and_policies_is_equal_to_its_replay(ledger: Ledger) -> None:
    facts = OrganizationFacts(handle="contoso", country="US", currency="USD", currency_exponent=2)
    organization = Organization.create(facts, first_admin_id=uuid4())
    member_ids = [uuid4() for _ in range(3)]
    for _ in range(SNAPSHOT_EVERY // 6 + 1):
        for member_id in member_ids:
            organization.grant(member_id, "auditor")
            organization.revoke(member_id, "auditor")
    organization.grant(member_ids[0], "billing_reader")
    ledger.save(organization, because=a_change(organization.id), at=ledger.now())
    replayed, thawed = (ledger.organization(organization.id) for _ in range(2))
    assert state_of(thawed) == state_of(replayed) == state_of(organization)


def test_an_event_of_an_older_version_is_lifted_when_it_is_loaded(ledger: Ledger) -> None:
    organization_id, id_, by = uuid4(), uuid4(), uuid4()
    stored = [
        StoredEvent(id_, 1, "tests.Invented.Made", b'{"originator_topic":"tests.Invented","price":"9.90"}'),
        StoredEvent(id_, 2, "tests.Invented.Marked", b'{"on":"2024-02-29","by":"%s"}' % str(by).encode()),
        StoredEvent(
            id_, 3, "tests.Invented.Marked", b'{"class_version":2,"day":"2024-02-29","by":"%s"}' % str(by).encode()
        ),
    ]
    ledger.history.append(
        stored,
        organization_id=organization_id,
        command_id=uuid4(),
        step="",
        fingerprint=b"f",
        metadata=[event.metadata for event in ledger.history.told(*opened(ledger), after=0, until=1)] * 3,
        seen=[],
        facts=[],
    )
    loaded = ledger.get(Invented, organization_id, id_)
    assert loaded.days == {date(2024, 2, 29): {by}}
    assert loaded.notes == ("none was kept", "none was kept")
    loaded.tell(Invented.Marked, day=date(2024, 3, 1), by=by, note="new")
    ledger.save(loaded, because=a_change(organization_id), at=ledger.now())
    assert ledger.history.load_events(organization_id, id_)[-1].state.startswith(b'{"class_version":3,')


def opened(ledger: Ledger) -> tuple[UUID]:
    """An organization with one event."""
    organization_id = uuid4()
    save(ledger, a_pool(), organization_id=organization_id)
    return (organization_id,)


def test_a_hundred_thousand_holders_are_loaded_from_one(ledger: Ledger) -> None:
    """The holders are put into the snapshot alone: this is about loading."""
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    loaded = ledger.license_pool(organization_id, pool.id)
    for _ in range(100_000):
        loaded.holders.add(uuid4())
    ledger.history.keep_snapshot(organization_id, pool.id, snapshot_of(loaded))
    thawed = ledger.license_pool(organization_id, pool.id)
    assert (thawed.assigned, thawed.holders == loaded.holders) == (100_000, True)
    assert thawed.occurred_at == loaded.occurred_at


def test_the_load_is_one_statement(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    organization_id, pool = long_lived(ledger)
    ledger.license_pool(organization_id, pool.id)
    statements: list[object] = []
    execute = psycopg.Connection.execute

    def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(query)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Connection, "execute", counting)
    ledger.license_pool(organization_id, pool.id)
    assert len(statements) == 1


def test_the_time_of_the_last_decision_comes_with_it_to_the_microsecond(ledger: Ledger) -> None:
    ledger.clock = lambda: datetime(2025, 1, 31, 9, 30, 0, 123457, tzinfo=UTC)
    organization_id, pool = long_lived(ledger)
    ledger.license_pool(organization_id, pool.id)
    assert ledger.license_pool(organization_id, pool.id).occurred_at == ledger.clock()
