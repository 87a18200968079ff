"""What a process left open is carried on by the run as it was meant, or let go of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.license_pool import LicensePool
from domain.payment import Payment
from domain.refusals import PaymentActionRequired
from domain.subscription import Subscription
from services.advance import Advance, advance_organization
from services.buy_subscription import buy_subscription
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from tests.system.money.endings import complaints_about
from tests.system.money.kill_points import Point, Watch, watched
from tests.system.money.stories import A_DAY, BOUGHT, buys, resizes
from tests.system.money.world import IN_TIME, OPERATOR, World, due_profiles, opened


class EndOfProcess(BaseException):
    """The process ends here."""


class Ending(Watch):
    """Ends the process right after the provider held an amount."""

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name == "authorize":
            raise EndOfProcess
        return answer


def test_an_increase_that_was_left_open_takes_no_licenses_away_that_were_added_since(world: World) -> None:
    buys(world)  # 3 licenses
    with watched(world, Ending()), pytest.raises(EndOfProcess):
        resizes(5)(world)
    resizes(7)(world)
    world.runs(BOUGHT + IN_TIME)
    [pool] = world.all(LicensePool)
    assert pool.total == 7
    assert sorted(payment.status for payment in world.all(Payment)) == ["captured", "captured", "released"]
    assert complaints_about(world) == []


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_confirmed_gets_what_they_bought_however_late_the_run_comes(world: World, *, confirmed: bool) -> None:
    asking = world.command(OpenBillingProfile, "asking", payment_method_id=world.adds_card("tok_action_required"))
    open_billing_profile(world.ledger, asking)
    with pytest.raises(PaymentActionRequired):
        buy_subscription(world.ledger, world.buying(billing_profile_id=asking.further_profile_id), world.till)
    [payment] = world.all(Payment)
    if confirmed:
        world.sandbox.confirm(payment.id, 1)
    world.runs(BOUGHT + 2 * A_DAY)
    assert [one.life for one in world.all(Subscription)] == (["active"] if confirmed else [])
    assert [one.status for one in world.all(Payment)] == (["captured"] if confirmed else ["released"])
    assert complaints_about(world) == []


@pytest.mark.parametrize("side", ["before", "after"])
def test_two_workers_may_begin_the_same_run_of_a_simulation(side: str, shared_url: str, tmp_path: Path) -> None:
    handle, then = f"contoso-{uuid4().hex}", BOUGHT + timedelta(days=90)

    def advances(world: World) -> None:
        to = Advance(actor=OPERATOR, as_of=then)
        due = due_profiles(world)
        advance_organization(world.ledger, world.till, to, organization_id=world.organization_id, due=due)

    def rival() -> None:
        with opened(shared_url, tmp_path / "provider.sqlite", BOUGHT, handle) as another:
            advances(another)

    with opened(shared_url, tmp_path / "provider.sqlite", BOUGHT, handle) as world:
        world.simulation = True
        world.found()
        buys(world)
        watch = Watch(Point(0, side), rival)  # type: ignore[arg-type]  # one of the two
        with watched(world, watch):
            advances(world)
        assert watch.trace[0] == "append Organization.SimulationAdvanced"
        assert [one.captured_minor for one in world.all(Payment)] == [4_200] * 4
        assert complaints_about(world) == []
