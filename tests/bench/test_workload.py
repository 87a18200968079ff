"""The saves of the bench are what they say."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bench.workload import ORGANIZATIONS, a_pool, picker, save_in_threads


@pytest.mark.parametrize(("spread", "least", "most"), [("uniform", 0.0, 0.01), ("zipf", 0.08, 0.15), ("hot", 1.0, 1.0)])
def test_the_busiest_organization_has_the_share_of_its_spread(spread: str, least: float, most: float) -> None:
    pick = picker(spread, random.Random(7))  # noqa: S311 - to repeat a run
    drawn = Counter(pick() for _ in range(5_000))
    assert least <= drawn.most_common(1)[0][1] / 5_000 <= most
    assert len(drawn) <= ORGANIZATIONS


@pytest.mark.parametrize("events", [1, 10, 100])
def test_a_pool_has_told_as_many_events_as_asked(events: int) -> None:
    assert len(a_pool(events).pending_events) == events


def test_a_save_that_fails_fails_the_job() -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_in_threads({"threads": 2, "seconds": 0.01, "spread": "hot", "seed": "7"}, fail)
