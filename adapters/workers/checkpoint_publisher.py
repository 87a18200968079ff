"""Brings signed checkpoints to the topic, in a thread of its own: those of a time without a broker when it is back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

import structlog

from adapters.postgres.seal_session import SealSession
from adapters.postgres.tree import Sealed
from adapters.workers.sealer_metrics import SealerMetrics

log = structlog.get_logger("seatledger.sealer")

AT_ONCE = 500
LOOK_S, LONGEST_PAUSE_S = 0.5, 30.0
END_S = 5.0

Send: TypeAlias = Callable[[Sequence[Sealed]], None]
"""Hands checkpoints to the topic in their order, and returns when it has all of them."""


class CheckpointPublisher:
    """Tells the database what the topic has; a checkpoint may go out twice, and none is left out."""

    def __init__(self, url: str, send: Send, metrics: SealerMetrics) -> None:
        self._url, self._send, self._metrics = url, send, metrics
        self._stop, self._pause_s = threading.Event(), LOOK_S
        # A call to the broker may not return; the process ends all the same.
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """After one more look, which is not waited for for long."""
        self._stop.set()
        self._thread.join(END_S)

    def _run(self) -> None:
        while True:
            try:
                with SealSession(self._url) as session:
                    self._rounds(session)
            except Exception as error:  # noqa: BLE001 - whatever the client raises, it is tried again
                log.warning("checkpoints wait", error=type(error).__name__, retry_in_s=self._pause_s)
                if self._stop.wait(self._pause_s):
                    return
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            else:
                return

    def _rounds(self, session: SealSession) -> None:
        """Again and again; once more after it is told to end."""
        last = False
        while not last:
            last = self._stop.is_set()
            while self._published(session) == AT_ONCE:
                pass
            self._pause_s = LOOK_S
            self._stop.wait(LOOK_S)

    def _published(self, session: SealSession) -> int:
        waiting = session.unpublished(AT_ONCE)
        self._metrics.unpublished.set(len(waiting))
        if waiting:
            self._send(waiting)
            for sealed in waiting:
                session.published(sealed)
            self._metrics.published.inc(len(waiting))
            self._metrics.unpublished.set(0)
        return len(waiting)
