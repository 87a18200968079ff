"""Everything is killed under load, a few times each; `make soak` does the same for as long as one likes."""

from __future__ import annotations

import pytest

from tools.soak.run import Options, run

KILLS = {"writer": 3, "relay": 2, "projector": 2, "sealer": 3, "PostgreSQL": 2, "follower": 1, "Kafka": 1}


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_what_was_acknowledged_stands_once_everywhere_after_kills_of_everything() -> None:
    outcome = run(Options(seed=9, kills=KILLS, writers=3, repeats=300))
    assert outcome.complaints == []
    assert outcome.kills == KILLS
    assert outcome.counts["acknowledged"] > 100
