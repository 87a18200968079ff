"""What is wrong with a request before any rule of the business is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BadRequest(Exception):
    """A request that cannot be understood or taken; `code` is that of the problem, `where` a header or a pointer."""

    def __init__(
        self,
        code: str,
        remedy: str,
        *,
        where: str | None = None,
        retry_after_s: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(remedy)
        self.code, self.remedy, self.where, self.retry_after_s, self.facts = code, remedy, where, retry_after_s, facts
