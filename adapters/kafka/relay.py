"""The relay: the ledger's events into the topic, in order of position, each exactly once under read_committed.

One Kafka transaction takes a batch of events and the position that it ends at. Three defects of kafka-python 3.0.12
shape the code: a commit may answer although messages were lost, so every future is looked at before it; commit has no
timeout, so a watchdog ends the process; and after any error the producer is not to be used again, so the process ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from kafka import KafkaProducer

from adapters.garbage import cycles_left_alone
from adapters.kafka.batch import Batch
from adapters.kafka.cloud_event import Message
from adapters.kafka.relay_position import RelayPosition, read_position
from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import Topics
from adapters.kafka.watchdog import Watchdog

BATCH = 500  # events of one transaction; the memory is bounded by two of them
FLUSH_TIMEOUT_S = 25.0
TAIL = 200  # offsets at the end of each partition, whose messages are compared with the ledger before it goes on
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

    def __init__(self, position: int, published: str, found: bytes | None) -> None:
        what = "no event there" if found is None else f"another event there (chain hash {found.hex()})"
        super().__init__(
            f"the topic has position {position} with chain hash {published}, and the ledger has {what}: it was restored"
            " from a backup that lost events, or is another one's. If it was restored and what is lost stays lost,"
            " `seatledger ledger fork` begins a new epoch; else restore what is missing"
        )
        self.position = position


class History(Protocol):
    """What the relay asks of the ledger besides its events."""

    def source(self) -> str:
        """How this ledger is called in messages."""

    def earlier_sources(self) -> Collection[str]:
        """How it was called before its forks."""

    def chain_hashes_at(self, positions: Collection[int]) -> Mapping[int, bytes]:
        """The chain hashes of the events at these positions, where there are any."""


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
    earlier = history.earlier_sources()
    position = read_position(bootstrap, topics, source, earlier)
    if position:
        refuse_another_history({position.position: position.chain_hash}, history)
        # What was drawn first may have been committed last: a restore that kept the last event may lack one before it.
        tail = read_topic(bootstrap, topics.events, without=earlier, last=TAIL)
        published = {one.position: one.headers.get("ce_chainhash", "") for one in tail if one.source == source}
        refuse_another_history(published, history)
    return Relay(producer, topics, source, after=position, watchdog=watchdog)


def refuse_another_history(published: Mapping[int, str], history: History) -> None:
    """Raises HistoryDiverged where the ledger has no event at a position that was published, or another one."""
    found = history.chain_hashes_at(published.keys())
    for position, chain_hash in sorted(published.items()):
        if (recorded := found.get(position)) is None or recorded.hex() != chain_hash:
            raise HistoryDiverged(position, chain_hash, recorded)


def open_producer(bootstrap: str, topics: Topics) -> Any:
    """The one producer that may write to the topic; another with the same topic takes its right away."""
    return KafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"seatledger.relay:{topics.events}", **PRODUCER)
