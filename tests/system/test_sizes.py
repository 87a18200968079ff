"""What is large: a pool with a hundred thousand holders, and a save of thousands that fails in its middle."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.follower import Follower
from domain.license_pool import USERS_AT_ONCE, LicensePool
from domain.member import Member
from domain.refusals import NotEnoughLicenses
from services.ledger import EVENTS_PER_SAVE, Ledger
from services.ports import LedgerUnavailable
from tests.adapters.postgres.writers import a_change, a_pool, save
from tests.examples import POWER_BI_PRO, THE_SAME_DAY, opening, resized_to

HOLDERS = 100_000
LARGE = POWER_BI_PRO.model_copy(update={"maximum": HOLDERS})
A_MEMBER = Member.add(id=uuid4(), kind="member", details={})


def assign(pool: LicensePool, numbers: range) -> None:
    """A license for each number, as many at once as one may."""
    for first in range(numbers.start, numbers.stop, USERS_AT_ONCE):
        users = range(first, min(first + USERS_AT_ONCE, numbers.stop))
        pool.assign({UUID(int=number): A_MEMBER for number in users})


@pytest.mark.timeout(300)
def test_a_pool_with_a_hundred_thousand_holders(system_ledger: Ledger) -> None:
    organization_id = uuid4()
    pool = opening(id=uuid4(), subscription_id=uuid4(), total=HOLDERS, price=LARGE, at=THE_SAME_DAY)
    save(system_ledger, pool, organization_id=organization_id)
    for first in range(0, HOLDERS, EVENTS_PER_SAVE):
        pool = system_ledger.license_pool(organization_id, pool.id)
        assign(pool, range(first, first + EVENTS_PER_SAVE))
        save(system_ledger, pool, organization_id=organization_id)
    pool = system_ledger.license_pool(organization_id, pool.id)
    assert (pool.assigned, pool.free, pool.version) == (HOLDERS, 0, HOLDERS + 1)
    assert list(pool.holders) == [UUID(int=number) for number in range(HOLDERS)]
    with pytest.raises(NotEnoughLicenses):
        assign(pool, range(HOLDERS, HOLDERS + 1))
    pool.unassign([UUID(int=77)])
    assign(pool, range(HOLDERS, HOLDERS + 1))
    assert save(system_ledger, pool, organization_id=organization_id).events == 2


def test_a_save_of_two_thousand_events_that_fails_in_its_middle_is_recorded_whole_by_the_same_save(
    system_ledger: Ledger, system_url: str
) -> None:
    organization_id, pool = uuid4(), a_pool()
    for step in range(1_999):
        resized_to(6 + step % 2, THE_SAME_DAY)(pool)
    command = a_change(organization_id)
    with psycopg.connect(system_url, autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF new.organization_id = '{organization_id}' AND new.organization_seq = 1000"
            " THEN RAISE 'no room' USING ERRCODE = 'disk_full'; END IF; RETURN new; END $$"
        )
        admin.execute("CREATE TRIGGER stumble BEFORE INSERT ON ledger.events FOR EACH ROW EXECUTE FUNCTION stumble()")
        with pytest.raises(LedgerUnavailable, match="disk is full"):
            save(system_ledger, pool, organization_id=organization_id, because=command)
        admin.execute("DROP TRIGGER stumble ON ledger.events")
        admin.execute("DROP FUNCTION stumble")
    receipt = save(system_ledger, pool, organization_id=organization_id, because=command)
    assert (receipt.events, receipt.organization_seq) == (2_000, 2_000)
    assert system_ledger.license_pool(organization_id, pool.id).version == 2_000
    with Follower(system_url, after=receipt.position - 2_000) as follower:
        handed_out: list[int] = []
        while len(handed_out) < 2_000:
            handed_out += [event.organization_seq for event in follower.poll(500)]
    assert handed_out == list(range(1, 2_001))
