"""A process is killed at every step of every story in which money moves, and the end is the same."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from tests.system.money.endings import Ending
from tests.system.money.kill_points import points_of
from tests.system.money.played import After, Case, Place, calm, differences, prepare, traces
from tests.system.money.stories import STORIES


@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_any_step_changes_nothing(
    story: str, money_url: str, drivers: ProcessPoolExecutor, folder: Path
) -> None:
    place = Place(money_url, folder, story)
    drivers.submit(prepare, place).result()
    traced = drivers.submit(traces, place).result()
    cases = [
        Case(place, number, point, after)
        for number, trace in enumerate(traced)
        for point in points_of(trace)
        for after in get_args(After)
    ]
    begun = [case.begun_in(traced) for case in cases]
    # The calm ends come first: each is what several cases are compared with.
    expected: dict[tuple[int, After, bool], Future[Ending]] = {}
    for case, was in zip(cases, begun, strict=True):
        key = case.stage, case.after, was
        if key not in expected:
            expected[key] = drivers.submit(partial(calm, begun=was), place, case.stage, case.after)
    ends = [expected[case.stage, case.after, was].result() for case, was in zip(cases, begun, strict=True)]
    wrong = [what for one in drivers.map(differences, cases, ends) for what in one]
    assert not wrong, "\n".join(wrong)
    assert len(cases) == len(get_args(After)) * 2 * sum(map(len, traced)) > 0
    assert all(any(name.startswith("append") for name in trace) for trace in traced[:1])
