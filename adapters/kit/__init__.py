"""The consumer kit: events of a ledger, each handled once, in order, in the database of whoever consumes them.

    consumer = Consumer("revenue", handle, database_url=url, source=KafkaSource("127.0.0.1:9092"))
    consumer.run(stop)

`docs/consumers.md` has a whole one, and what is promised.
"""

from adapters.kit.consumer import Consumer
from adapters.kit.crew import Metrics, Stopped
from adapters.kit.event import Event
from adapters.kit.feed import HttpFeed
from adapters.kit.kafka_source import KafkaSource
from adapters.kit.parked import NotParked, Parked, Retried, discard_parked, parked, retry_parked
from adapters.kit.retries import Retries
from adapters.kit.stops import Later, MessageRefused, NotInstalled, OtherSource, SequenceGap, SourceUnsuited, Stop
from adapters.kit.tables import Connection, install

__all__ = [
    "Connection",
    "Consumer",
    "Event",
    "HttpFeed",
    "KafkaSource",
    "Later",
    "MessageRefused",
    "Metrics",
    "NotInstalled",
    "NotParked",
    "OtherSource",
    "Parked",
    "Retried",
    "Retries",
    "SequenceGap",
    "SourceUnsuited",
    "Stop",
    "Stopped",
    "discard_parked",
    "install",
    "parked",
    "retry_parked",
]
