"""What the service tells Prometheus: how its consumer is."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.kit import Consumer


class ConsumerMetrics(Collector):
    """Asks the consumer whenever Prometheus asks."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def collect(self) -> Iterator[Metric]:
        now = self._consumer.metrics()
        yield CounterMetricFamily("mrr_events_handled", "Events that were counted.", value=now.handled)
        yield CounterMetricFamily("mrr_events_passed_over", "Events of no concern to it.", value=now.passed_over)
        yield CounterMetricFamily("mrr_events_parked", "Events that wait for a person.", value=now.parked)
        yield GaugeMetricFamily("mrr_looked_timestamp_seconds", "When Kafka last answered.", value=now.looked_at)
        yield GaugeMetricFamily("mrr_stopped_partitions", "Partitions that do not go on.", value=len(now.stopped))
        lag = GaugeMetricFamily("mrr_lag", "Messages not read yet.", labels=["partition"])
        for partition, behind in now.lag.items():
            lag.add_metric([str(partition)], behind)
        yield lag


def registry_of(consumer: Consumer) -> CollectorRegistry:
    """What is told of a consumer, and nothing else."""
    registry = CollectorRegistry()
    registry.register(ConsumerMetrics(consumer))
    return registry
