"""What a sealer counts, for Prometheus."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from adapters.proof.sealer import Step


class SealerMetrics:
    """Of one process."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
        self.seals = Gauge("seatledger_sealer_seals", "1: it seals; 0: it stands by.", registry=here)
        self._looked = Gauge(
            "seatledger_sealer_looked_timestamp_seconds",
            "When it last looked for events, or whether it may seal.",
            registry=here,
        )
        self._size = Gauge("seatledger_sealer_leaves", "Leaves that are signed for.", registry=here)
        self._signed = Gauge(
            "seatledger_sealer_signed_timestamp_seconds", "When it last signed a checkpoint.", registry=here
        )
        self._checkpoints = Counter("seatledger_sealer_checkpoints", "Checkpoints signed.", registry=here)
        self._reread = Counter("seatledger_sealer_reread_leaves", "Old leaves that were read again.", registry=here)
        self.published = Counter("seatledger_sealer_published", "Checkpoints that the topic has taken.", registry=here)
        self.unpublished = Gauge("seatledger_sealer_unpublished", "Checkpoints that wait for the topic.", registry=here)
        self._failed = Gauge(
            "seatledger_sealer_last_error_timestamp_seconds",
            "When an error last ended a sealer, this process or one before; `halted`: something was changed.",
            ("ending",),
            registry=here,
        )

    def begin(self, last_error: tuple[str, datetime] | None) -> None:
        """It stands by until it is elected."""
        self.seals.set(0)
        self.looked()
        if last_error:
            self.failed(*last_error)

    def looked(self) -> None:
        """Again and again, also when there is nothing to do."""
        self._looked.set_to_current_time()

    def stepped(self, step: Step, signed_size: int) -> None:
        self.looked()
        self._size.set(signed_size)
        self._reread.inc(step.reread)
        if step.signed:
            self._signed.set_to_current_time()
            self._checkpoints.inc()

    def failed(self, ending: str, at: datetime) -> None:
        self.seals.set(0)
        self._failed.labels(ending).set(at.timestamp())
