"""How often one caller, and all of an organization, may ask; counted in this process."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from limits import RateLimitItem, parse

from adapters.http.bad_request import BadRequest
from adapters.http.principal import Principal

REMEMBERED = 10_000  # callers and organizations; then those are forgotten whose window is empty


class Rates:
    """A moving window for each caller and each organization. Asked on the event loop: by one thread at a time."""

    def __init__(self, per_key: str, per_organization: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_key, self._per_organization = parse(per_key), parse(per_organization)
        self._clock = clock
        self._calls: dict[tuple[str, str], deque[float]] = {}  # when each call leaves its window, the oldest first

    def refuse_too_many(self, principal: Principal) -> None:
        """Counts the call; refuses with the time until the next one is possible."""
        self._refuse(self._per_key, ("key", principal.key))
        if principal.kind == "member" and principal.organization:
            self._refuse(self._per_organization, ("organization", principal.organization))

    def _refuse(self, rate: RateLimitItem, of: tuple[str, str]) -> None:
        now = self._clock()
        if (calls := self._calls.get(of)) is None:
            if len(self._calls) >= REMEMBERED:
                self._forget(now)
            calls = self._calls[of] = deque()
        while calls and calls[0] <= now:
            calls.popleft()
        if len(calls) >= rate.amount:
            wait_s = max(1, math.ceil(calls[0] - now))
            raise BadRequest("rate_exceeded", f"at most {rate}; wait {wait_s} s", retry_after_s=wait_s)
        calls.append(now + rate.get_expiry())

    def _forget(self, now: float) -> None:
        for of in [of for of, calls in self._calls.items() if not calls or calls[-1] <= now]:
            del self._calls[of]
