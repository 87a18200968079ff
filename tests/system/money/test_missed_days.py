"""A run after forty missed days: twice, by four workers at once, and by workers that die, it comes to the same."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.system.money.endings import Ending
from tests.system.money.runs import (
    HANDLES,
    Site,
    prepare_organizations,
    run_anew,
    run_by_four,
    run_by_four_that_die,
    run_one_after_the_other,
    run_twice,
    unlike,
)

SEEDS = range(10)


@pytest.fixture(scope="module")
def site(money_url: str, folder: Path, drivers: ProcessPoolExecutor) -> Site:
    here = Site(money_url, folder)
    drivers.submit(prepare_organizations, here).result()
    return here


@pytest.fixture(scope="module")
def calm(site: Site, drivers: ProcessPoolExecutor) -> list[Ending]:
    """What one worker comes to that nobody disturbs."""
    return drivers.submit(run_anew, site, run_one_after_the_other).result()


def test_the_calm_run_has_paid_and_unpaid_renewals(calm: list[Ending]) -> None:
    assert len(calm) == len(HANDLES)
    for ending in calm:
        assert sorted(str(row[2]) for row in ending.provider) == ["captured"] * 6 + ["declined"] * 2


def test_a_second_run_tells_nothing(site: Site, calm: list[Ending], drivers: ProcessPoolExecutor) -> None:
    assert unlike(calm, drivers.submit(run_anew, site, run_twice).result()) == []


def test_four_workers_come_to_what_one_comes_to(site: Site, calm: list[Ending], drivers: ProcessPoolExecutor) -> None:
    for ending in drivers.map(partial(run_anew, site), [run_by_four] * 4):
        assert unlike(calm, ending) == []


def test_workers_that_die_come_to_what_one_comes_to(
    site: Site, calm: list[Ending], drivers: ProcessPoolExecutor
) -> None:
    for ending in drivers.map(partial(run_anew, site), [partial(run_by_four_that_die, seed) for seed in SEEDS]):
        assert unlike(calm, ending) == []
