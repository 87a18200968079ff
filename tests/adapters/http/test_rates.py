"""A window that moves with the clock: so many calls in any minute, for a caller and for all of an organization."""

from __future__ import annotations

from uuid import uuid4

import pytest

from adapters.http import rates
from adapters.http.bad_request import BadRequest
from adapters.http.principal import Principal
from adapters.http.rates import Rates


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def member(key: str, organization: str = "contoso") -> Principal:
    return Principal("member", uuid4(), organization, f"{key}@contoso.com", key)


def told_to_wait_s(limited: Rates, who: Principal) -> int | None:
    try:
        limited.refuse_too_many(who)
    except BadRequest as refused:
        return refused.retry_after_s
    return None


def test_a_place_is_free_a_minute_after_the_call_that_took_it() -> None:
    clock = Clock()
    limited, ben = Rates("2/minute", "100/minute", clock), member("ben")
    assert told_to_wait_s(limited, ben) is None
    clock.now += 40
    assert told_to_wait_s(limited, ben) is None
    assert told_to_wait_s(limited, ben) == 20
    assert told_to_wait_s(limited, member("david")) is None
    clock.now += 20
    assert told_to_wait_s(limited, ben) is None
    assert told_to_wait_s(limited, ben) == 40


def test_members_share_what_their_organization_may_ask() -> None:
    limited = Rates("10/minute", "2/minute", Clock())
    waits = [told_to_wait_s(limited, member(str(number))) for number in range(3)]
    assert waits == [None, None, 60]
    assert told_to_wait_s(limited, member("3", "fabrikam")) is None


def test_callers_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REMEMBERED", 10)
    clock = Clock()
    limited = Rates("2/minute", "100/minute", clock)
    for number in range(50):
        clock.now += 30
        assert told_to_wait_s(limited, member(str(number), f"org-{number}")) is None
    assert len(limited._calls) <= 12
