"""A long body is looked through while others are answered."""

from __future__ import annotations

import json
import time
from functools import partial

from tests.adapters.http.conftest import refused
from tests.system.api.held import in_flight, meanwhile, until
from tests.system.api.house import Contoso, RunningHouse

BODIES = 4
SOON_S = 1.0  # on a busy machine; looking through one of them takes longer


def test_digits_without_end_keep_nobody_waiting(house: RunningHouse, contoso: Contoso) -> None:
    """Nothing takes the card guard longer."""
    digits = json.dumps({"rows": [{"user_name": "1-" * 250_000}]})
    asked = partial(contoso.ben.ask, "POST", "/members", content=digits, headers={"Content-Type": "application/json"})
    took = []
    with meanwhile(*[asked] * BODIES) as waiting:
        until(lambda: in_flight(house.process) == BODIES)
        while not all(one.done() for one in waiting):
            begun = time.monotonic()
            assert contoso.chris.ask("GET", "/members").status_code == 200
            took.append(time.monotonic() - begun)
        for one in waiting:
            refused(one.result(), 422, "bad_input")
    assert sorted(took)[len(took) // 2] < SOON_S
