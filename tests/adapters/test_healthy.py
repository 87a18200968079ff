"""A worker is well while it looks for work; one that hangs, has stopped partitions or cannot be asked is not."""

from __future__ import annotations

import time

import pytest
from prometheus_client import generate_latest

from adapters.kit import Consumer, KafkaSource
from adapters.workers import healthy
from adapters.workers.projector_metrics import ProjectorMetrics
from adapters.workers.relay_metrics import RelayMetrics
from adapters.workers.tell_prometheus import telling
from examples.monthly_recurring_revenue.metrics import registry_of
from tools.soak.api_server import free_port


def test_a_relay_that_stands_by_is_well_and_one_that_hangs_is_not() -> None:
    metrics = RelayMetrics()
    metrics.begin("events", None)
    told = generate_latest(metrics.registry).decode()
    assert healthy.what_ails(told, time.time()) is None
    later = time.time() + healthy.FRESH_S + 1
    assert healthy.what_ails(told, later) == "it has looked for no work for 31 s"
    metrics.published(position=1, head=1, events=0, seconds=0.0)
    assert healthy.what_ails(generate_latest(metrics.registry).decode(), time.time()) is None


def test_a_projector_is_well_once_it_has_looked() -> None:
    metrics = ProjectorMetrics()
    assert healthy.what_ails(generate_latest(metrics.registry).decode(), time.time()) is not None
    metrics.looked(builds=0)
    assert healthy.what_ails(generate_latest(metrics.registry).decode(), time.time()) is None


def test_a_consumer_that_was_not_answered_yet_and_one_with_a_stopped_partition_are_not_well() -> None:
    consumer = Consumer("nobody", lambda *_: None, database_url="", source=KafkaSource("127.0.0.1:1"))
    registry = registry_of(consumer)
    assert healthy.what_ails(generate_latest(registry).decode(), time.time()) is not None
    consumer._crew.looked_at = time.time()
    consumer._crew.lag = {3: 14}
    told = generate_latest(registry).decode()
    assert healthy.what_ails(told, time.time()) is None
    assert 'mrr_lag{partition="3"} 14.0' in told
    consumer._crew.stopped[(3,)] = ValueError("a gap")
    assert healthy.what_ails(generate_latest(registry).decode(), time.time()) == "it has stopped partitions"


def test_it_asks_over_http_and_answers_by_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = ProjectorMetrics()
    with telling(metrics.registry, "127.0.0.1", 0) as port:
        assert healthy.main(str(port)) == 1
        metrics.looked(builds=7)
        assert healthy.main(str(port)) == 0
    assert healthy.main(str(free_port())) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("it has looked for no work")
    assert said[1].startswith("it does not answer")
