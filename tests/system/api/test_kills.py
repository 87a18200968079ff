"""The API is killed under load, a few times; `make soak` does the same for as long as one likes."""

from __future__ import annotations

import pytest

from tools.soak.api_run import ApiOptions, run_api


@pytest.mark.timeout(300)
def test_every_answer_holds_after_kills_of_the_api() -> None:
    outcome = run_api(ApiOptions(seed=11, kills=4))
    assert outcome.complaints == []
    assert outcome.kills == {"API": 4}
    assert outcome.counts["sent_again"] > 0
    assert outcome.counts["acknowledged"] > 20
