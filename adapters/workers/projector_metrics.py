"""What a projector tells Prometheus; how far the read models are, the API tells."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge


class ProjectorMetrics:
    """Of one process."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
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
