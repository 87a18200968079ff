"""At every step of a command somebody else comes in between: money moves once, and everybody is answered."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from tests.system.money.kill_points import points_of
from tests.system.money.played import Place, calm, prepare, traces
from tests.system.money.raced import STORIES_OF_CLIENTS, Race, Rival, raced


@pytest.mark.parametrize("rival", get_args(Rival))
@pytest.mark.parametrize("story", STORIES_OF_CLIENTS)
def test_a_rival_at_any_step_changes_nothing(
    story: str, rival: Rival, money_url: str, drivers: ProcessPoolExecutor, folder: Path
) -> None:
    place = Place(money_url, folder, story)
    drivers.submit(prepare, place).result()
    trace = drivers.submit(traces, place).result()[0]
    races = [Race(place, point, rival) for point in points_of(trace)]
    expected = None if rival == "other" else drivers.submit(partial(calm, begun=True), place, 0, "run").result()
    wrong = [what for one in drivers.map(raced, races, [expected] * len(races)) for what in one]
    assert not wrong, "\n".join(wrong)
    assert len(races) == 2 * len(trace) > 0
