"""The projector as a worker: keeps the read tables up with history until it is told to stop."""

from __future__ import annotations

import threading

import structlog

from adapters.postgres.projector import Projector
from adapters.workers.projector_metrics import ProjectorMetrics
from services.ports import LedgerUnavailable

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0

log = structlog.get_logger()


def run(url: str, stop: threading.Event, metrics: ProjectorMetrics | None = None) -> None:
    """Projects until `stop`; whatever goes wrong is logged, and tried again after a pause that grows."""
    metrics = metrics or ProjectorMetrics()
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            with Projector(url) as projector:
                log.info("projector_started")
                metrics.projects.set(1)
                pause_s = FIRST_PAUSE_S
                projector.run(stop, metrics.looked)
        except LedgerUnavailable as unavailable:
            metrics.failures.labels("LedgerUnavailable").inc()
            log.warning("projector_waits", reason=str(unavailable), retry_in_s=pause_s)
        except Exception as defect:  # noqa: BLE001 - it never dies silently, and a trace could show rows
            metrics.failures.labels(type(defect).__name__).inc()
            log.error("projector_failed", error=type(defect).__name__, retry_in_s=pause_s)  # noqa: TRY400
        else:
            break
        metrics.projects.set(0)
        stop.wait(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
    log.info("projector_stopped")
