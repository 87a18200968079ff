"""The provider does not answer a call, any call, before acting or after: the end is as if it had."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.payments.sandbox_calls import KEY_LASTS_US
from tests.system.money.kill_points import CALLS
from tests.system.money.lost import losses_in, lost
from tests.system.money.played import LATE, Place, calm, prepare, traces
from tests.system.money.stories import STORIES


@pytest.mark.parametrize("story", STORIES)
def test_a_lost_request_or_answer_changes_nothing(
    story: str, money_url: str, drivers: ProcessPoolExecutor, folder: Path
) -> None:
    place = Place(money_url, folder, story)
    drivers.submit(prepare, place).result()
    traced = drivers.submit(traces, place).result()
    losses = losses_in(place, traced)
    expected = [
        drivers.submit(partial(calm, begun=True), place, stage, "again").result() for stage in range(len(traced))
    ]
    wrong = [what for one in drivers.map(lost, losses, [expected[loss.stage] for loss in losses]) for what in one]
    assert not wrong, "\n".join(wrong)
    assert len(losses) == 4 * sum(name in CALLS for trace in traced for name in trace) > 0


def test_who_comes_late_after_a_kill_comes_when_the_provider_has_forgotten_its_keys() -> None:
    assert timedelta(microseconds=KEY_LASTS_US) < LATE
