"""How often, and with which pauses, something is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retries:
    """Pauses double from `first_s` to `longest_s`, less up to half by chance, so that not all come back at once."""

    attempts: int = 5  # of one event, before it is parked
    first_s: float = 0.1
    longest_s: float = 30.0

    def pause_s(self, failures: int) -> float:
        """The pause after so many failures in a row."""
        doubled = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 60))
        return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
