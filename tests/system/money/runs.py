"""Forty missed days of three organizations, taken by workers that may die: what a run comes to, whoever takes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from adapters.payments.sandbox_faults import Faults
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from tests.system.money.endings import Ending, complaints_about, ending_of
from tests.system.money.kill_points import Watch, watched
from tests.system.money.played import database_of_this_process, keep, restore
from tests.system.money.stories import BOUGHT
from tests.system.money.world import FOR_A_YEAR, MONTHLY, PAID_YEARLY, World, opened

HANDLES = ("contoso-1", "contoso-2", "contoso-3")
LATER = BOUGHT + timedelta(days=40)
WORKERS = 4
STEPS = 3  # before one of its first so many a worker dies; the work has more than four times as many
KEPT = "forty_days"


class Site(NamedTuple):
    """A database URL with a gap for its name, and where the provider of each organization keeps its file."""

    url: str
    folder: Path

    @property
    def database(self) -> str:
        return self.url.format(database_of_this_process(self.url))

    def file(self, handle: str) -> Path:
        return self.folder / f"{handle}.sqlite"


def prepare_organizations(site: Site) -> None:
    """Three profiles each: monthly, for a year by the month, paid yearly; two of the cards have no money at first."""
    restore(site.database, site.folder / "money")
    for handle in HANDLES:
        with opened(site.database, site.file(handle), BOUGHT, handle) as world:
            buys_on_three_profiles(world)
    keep(site.database, site.folder / KEPT)
    first = run_anew(site, run_one_after_the_other)  # to know who will be charged
    for handle, ending in zip(HANDLES, first, strict=True):
        with opened(site.database, site.file(handle), BOUGHT, handle) as world:
            before = {one.payment_id for one in world.sandbox.payments()}
            charged = [UUID(str(row[0])) for row in ending.provider if row[0] not in before]
            world.sandbox.script(without_money(charged))


def buys_on_three_profiles(world: World) -> None:
    world.found()
    for number, terms in enumerate((MONTHLY, FOR_A_YEAR, PAID_YEARLY)):
        card = world.adds_card(f"tok_visa:{number}")
        opening = world.command(OpenBillingProfile, f"profile {number}", payment_method_id=card)
        open_billing_profile(world.ledger, opening)
        for licenses in (2, 3):
            world.buys(licenses, terms, f"buy {number} {licenses}", billing_profile_id=opening.further_profile_id)


def without_money(payment_ids: Sequence[UUID]) -> Faults:
    """The first attempt at each of these payments is declined, whoever makes it."""
    faults = Faults()
    for payment_id in payment_ids:
        faults = faults.decline("charge", "insufficient_funds", payment_id=payment_id)
    return faults


def run_anew(site: Site, run: Callable[[Site], object]) -> list[Ending]:
    """How it ends for each organization, from where everything was prepared; money must be right whatever happens."""
    restore(site.database, site.folder / KEPT)
    copy = Site(site.url, site.folder / uuid4().hex)
    copy.folder.mkdir()
    for handle in HANDLES:
        shutil.copy(site.file(handle), copy.file(handle))
    run(copy)
    found = []
    for handle in HANDLES:
        with opened(copy.database, copy.file(handle), LATER, handle) as world:
            assert complaints_about(world) == []
            found.append(ending_of(world))
    return found


def run_one_after_the_other(site: Site) -> None:
    take_turns(site, HANDLES, Watch())


def run_twice(site: Site) -> None:
    run_one_after_the_other(site)
    run_one_after_the_other(site)


def run_by_four(site: Site) -> None:
    assert ended([worker(site, seed, dies=False) for seed in range(WORKERS)]) == [0] * WORKERS


def run_by_four_that_die(seed: int, site: Site) -> None:
    """Each dies at some step, unless others leave it nothing to do; four more die, and then four others come."""
    for first in (0, WORKERS):
        endings = ended([worker(site, 2 * WORKERS * seed + first + one, dies=True) for one in range(WORKERS)])
        assert set(endings) <= {0, -signal.SIGKILL}
        assert first or -signal.SIGKILL in endings
    run_by_four(site)


def worker(site: Site, seed: int, *, dies: bool) -> int:
    """A process that takes all organizations in an order of its own; its id."""
    child = os.fork()
    if child:
        return child
    end = 1
    try:
        chance = random.Random(seed)  # noqa: S311 - not a secret
        take_turns(site, chance.sample(HANDLES, len(HANDLES)), Dying(chance.randrange(STEPS)) if dies else Watch())
        end = 0
    finally:
        os._exit(end)


def take_turns(site: Site, handles: Sequence[str], watch: Watch) -> None:
    for handle in handles:
        with opened(site.database, site.file(handle), LATER, handle) as world, watched(world, watch):
            world.runs()


class Dying(Watch):
    """Dies before the step of this number."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last = last

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        self.trace.append(name)
        if len(self.trace) > self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return call()


def ended(children: Sequence[int]) -> list[int]:
    """How each of them ended: 0, or minus the signal."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def unlike(expected: list[Ending], got: list[Ending]) -> list[str]:
    """Where a run differs from the calm one, by organization."""
    return [
        f"{handle}: {got_one} and not {one}"
        for handle, one, got_one in zip(HANDLES, expected, got, strict=True)
        if got_one != one
    ]
