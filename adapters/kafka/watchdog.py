"""A deadline for calls that have none: what hangs ends the process, and a new one reads the position again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 70


class Watchdog:
    """Ends the process when a guarded block takes longer than `seconds`; a thread that hangs cannot be ended."""

    def __init__(self, seconds: float, *, end: Callable[[int], object] = os._exit) -> None:
        self.seconds = seconds
        self._end = end

    @contextmanager
    def guards(self, what: str) -> Iterator[None]:
        """The block has until the deadline; `what` it does is told when it does not make it."""
        timer = threading.Timer(self.seconds, self._bite, (what,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _bite(self, what: str) -> None:
        # The log may hang as well, so this goes straight to standard error.
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{what} hangs for {self.seconds:g} s\n".encode())
        self._end(EXIT_CODE)
