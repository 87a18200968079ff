"""What a relay counts, for Prometheus."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 25, 60)


class RelayMetrics:
    """Of one process, which relays one topic."""

    def __init__(self) -> None:
        self.registry = here = CollectorRegistry()
        self._topic = ""
        topic = ("topic",)
        self._leads = Gauge("seatledger_relay_leads", "1: it publishes; 0: it stands by.", topic, registry=here)
        self._position = Gauge("seatledger_relay_position", "Of the last event published.", topic, registry=here)
        self._looked = Gauge(
            "seatledger_relay_looked_timestamp_seconds",
            "When it last looked for events, or whether it may lead.",
            topic,
            registry=here,
        )
        self._lag = Gauge("seatledger_relay_lag", "Positions not yet published.", topic, registry=here)
        self._events = Counter("seatledger_relay_events", "Events published.", topic, registry=here)
        # Its count is the number of transactions.
        self._seconds = Histogram(
            "seatledger_relay_batch_seconds", "Of a transaction.", topic, buckets=SECONDS, registry=here
        )
        self._failed = Gauge(
            "seatledger_relay_last_error_timestamp_seconds",
            "When an error last ended a relay of the topic, this process or one before.",
            ("topic", "ending"),
            registry=here,
        )

    def begin(self, topic: str, last_error: tuple[str, datetime] | None) -> None:
        """It stands by until it is elected."""
        self._topic = topic
        self._leads.labels(topic).set(0)
        self.looked()
        if last_error:
            self.failed(*last_error)

    def looked(self) -> None:
        """Again and again, also when there is nothing to do."""
        self._looked.labels(self._topic).set_to_current_time()

    def leads(self, position: int) -> None:
        self._leads.labels(self._topic).set(1)
        self._position.labels(self._topic).set(position)

    def published(self, position: int, head: int, events: int, seconds: float) -> None:
        """After each look for events, also when there were none."""
        self.looked()
        self._position.labels(self._topic).set(position)
        self._lag.labels(self._topic).set(max(0, head - position))
        if events:
            self._events.labels(self._topic).inc(events)
            self._seconds.labels(self._topic).observe(seconds)

    def failed(self, ending: str, at: datetime) -> None:
        self._leads.labels(self._topic).set(0)
        self._failed.labels(self._topic, ending).set(at.timestamp())
