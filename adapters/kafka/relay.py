"""The relay: the ledger's events into the topic, in order of position, each exactly once under read_committed.

One Kafka transaction takes a batch of events and the position that it ends at. Three defects of kafka-python 3.0.12
shape the code: a commit may answer although messages were lost, so every future is looked at before it; commit has no
timeout, so a watchdog ends the process; and after any error the producer is not to be used again, so the process ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from kafka import KafkaProducer

from adapters.garbage import cycles_left_alone
from adapters.kafka.batch import Batch
from adapters.kafka.cloud_event import Message
from adapters.kafka.relay_position import RelayPosition, read_position
from adapters.kafka.topic_settings import Topics
from adapters.kafka.watchdog import Watchdog

BATCH = 500  # events of one transaction; the memory is bounded by two of them
FLUSH_TIMEOUT_S = 25.0
PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 20,
    "batch_size": 256 * 1024,
    "compression_type": "zstd",
    "transaction_timeout_ms": 30_000,
    "request_timeout_ms": 15_000,
    "delivery_timeout_ms": 25_000,
    "max_block_ms": 15_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
WATCHDOG_S = 60.0


class Producer(Protocol):
    """What the relay uses of a transactional producer."""

    def begin_transaction(self) -> None: ...

    def send(
        self,
        topic: str,
        *,
        key: bytes,
        value: bytes,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Any: ...

    def flush(self, timeout: float) -> None: ...

    def commit_transaction(self) -> None: ...


class HistoryDiverged(Exception):
    """The topic and the ledger do not tell the same history."""

    def __init__(self, position: RelayPosition, found: bytes | None) -> None:
        what = "has no event there" if found is None else "has another event there"
        super().__init__(
            f"the topic's history went on to position {position.position} (chain hash {position.chain_hash[:16]}…), and"
            f" the ledger {what}: it was restored from before, or another one's; do not publish to this topic"
        )


class History(Protocol):
    """What the relay asks of the ledger besides its events."""

    def source(self) -> str:
        """How this ledger is called in messages."""

    def chain_hash_at(self, position: int) -> bytes | None:
        """The chain hash of the event at a position; None where there is none."""


class Relay:
    """Publishes batches to the topic; made by `resume`, ended by its first error."""

    def __init__(
        self, producer: Producer, topics: Topics, source: str, *, after: RelayPosition | None, watchdog: Watchdog
    ) -> None:
        self.position = after
        self._producer = producer
        self._topics = topics
        self.source = source
        self._watchdog = watchdog

    @property
    def after(self) -> int:
        """The position of the last published event; 0 before the first."""
        return self.position.position if self.position else 0

    def publish(self, batch: Batch, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Publishes the batch; raises Unpublishable when it ends before an event that cannot go out.

        `meanwhile` is called when everything is handed to the client and the wait for the broker begins.
        """
        if batch.position:
            self._commit(batch.messages, batch.position, meanwhile)
        if batch.stuck:
            raise batch.stuck

    def _commit(self, messages: Sequence[Message], position: RelayPosition, meanwhile: Callable[[], None]) -> None:
        with self._watchdog.guards("the transaction of the relay"), cycles_left_alone():
            self._producer.begin_transaction()
            futures = [
                self._producer.send(
                    self._topics.events,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    partition=message.partition,
                    timestamp_ms=message.timestamp_ms,
                )
                for message in messages
            ]
            futures.append(
                self._producer.send(
                    self._topics.position,
                    key=position.source.encode(),
                    value=position.model_dump_json().encode(),
                    partition=0,
                )
            )
            meanwhile()
            self._producer.flush(timeout=FLUSH_TIMEOUT_S)
            for future in futures:
                future.get(timeout=0)  # the commit would answer even if one of them was lost
            self._producer.commit_transaction()
        self.position = position


def resume(producer: Any, bootstrap: str, topics: Topics, history: History, watchdog: Watchdog) -> Relay:
    """Takes over from the relay before. Raises PositionLost or HistoryDiverged instead of guessing."""
    source = history.source()
    producer.init_transactions()  # first: whoever was here before can no longer commit, so what is read now holds
    position = read_position(bootstrap, topics, source)
    if position:
        found = history.chain_hash_at(position.position)
        if found is None or found.hex() != position.chain_hash:
            raise HistoryDiverged(position, found)
    return Relay(producer, topics, source, after=position, watchdog=watchdog)


def open_producer(bootstrap: str, topics: Topics) -> Any:
    """The one producer that may write to the topic; another with the same topic takes its right away."""
    return KafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"seatledger.relay:{topics.events}", **PRODUCER)
