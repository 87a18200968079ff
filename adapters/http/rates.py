"""How often one caller, and all of an organization, may ask; counted in this process."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from adapters.http.bad_request import BadRequest
from adapters.http.principal import Principal


class Rates:
    """A moving window for each caller and each organization."""

    def __init__(self, per_key: str, per_organization: str) -> None:
        self._per_key, self._per_organization = parse(per_key), parse(per_organization)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def refuse_too_many(self, principal: Principal) -> None:
        """Counts the call; refuses with the time until the next one is possible."""
        self._refuse(self._per_key, "key", principal.key)
        if principal.kind == "member" and principal.organization:
            self._refuse(self._per_organization, "organization", principal.organization)

    def _refuse(self, rate: RateLimitItem, *of: str) -> None:
        if self._limiter.hit(rate, *of):
            return
        reset, _ = self._limiter.get_window_stats(rate, *of)
        wait_s = max(1, math.ceil(reset - time.time()))
        raise BadRequest("rate_exceeded", f"at most {rate}; wait {wait_s} s", retry_after_s=wait_s)
