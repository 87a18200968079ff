"""Eight writer processes, a tailing follower and a projector: nothing missed, nothing doubled, everything in order."""

from __future__ import annotations

import pytest

from tools.soak.run import Options, run


@pytest.mark.timeout(400)
def test_twenty_thousand_events_of_eight_writers_are_followed_once_and_in_order() -> None:
    outcome = run(Options(seed=20_000, kills={}, events=20_000, writers=8, kafka=False, repeats=300))
    assert outcome.complaints == []
    assert outcome.counts["events"] >= 20_000
    assert outcome.counts["organizations"] > 800  # about half of the saves opened one
    assert outcome.counts["refused"] > 0  # and some of the wishes were in vain
