"""The topic of checkpoints: each signed note as it is, under the origin of its log, in the order of signing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer

from adapters.kafka.topic_settings import Topics, ensure_topics, sealed
from adapters.postgres.tree import Sealed

TIMEOUT_S = 20.0
PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 15_000,
    "max_block_ms": 10_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}


class CheckpointTopic:
    """A producer that is made when it is first needed, and again after an error."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self._producer: Any = None

    def send(self, checkpoints: Sequence[Sealed]) -> None:
        """Returns when the brokers have all of them; raises what the client raises."""
        try:
            self._send(checkpoints)
        except BaseException:
            self.close()  # after any error it is not to be used again
            raise

    def _send(self, checkpoints: Sequence[Sealed]) -> None:
        if self._producer is None:
            ensure_topics(self._bootstrap, self._topics, sealed)
            self._producer = KafkaProducer(bootstrap_servers=self._bootstrap, **PRODUCER)
        futures = [
            self._producer.send(
                self._topics.checkpoints,
                key=one.origin.encode(),
                value=one.note.encode(),
                headers=[("content-type", b"text/plain; charset=utf-8"), ("size", str(one.size).encode())],
                partition=0,
            )
            for one in checkpoints
        ]
        self._producer.flush(timeout=TIMEOUT_S)
        for future in futures:
            future.get(timeout=0)

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=1.0)
