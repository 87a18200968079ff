"""What a projector tells Prometheus; how far the read models are, the API tells."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class ProjectorMetrics:
    """Of one process."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
        self.projects = Gauge(
            "seatledger_projector_runs", "0: it waits to begin again, after a failure.", registry=here
        )
        self.failures = Counter("seatledger_projector_failures", "What made it begin again.", ("error",), registry=here)
        self._builds = Gauge(
            "seatledger_projector_builds", "Builds of read models that it folds; 0: it stands by.", registry=here
        )
        self._looked = Gauge(
            "seatledger_projector_looked_timestamp_seconds", "When it last looked for events.", registry=here
        )

    def looked(self, builds: int) -> None:
        """Several times a second; not while the database is away."""
        self._builds.set(builds)
        self._looked.set_to_current_time()
