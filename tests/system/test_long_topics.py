"""Topics that are longer than what one look brings."""

from __future__ import annotations

import random
from uuid import uuid4

from adapters.embedded.kafka import EmbeddedKafka
from adapters.kafka.relay import open_producer
from adapters.kafka.topic import AT_ONCE, read_topic
from adapters.kafka.topic_settings import EVENTS, Topics, ensure_topics


def test_partitions_that_take_many_looks_are_read_whole_and_in_order(kafka: EmbeddedKafka) -> None:
    """A reader that pauses partitions waits for ever: kafka-python 3.0.12 forgets what it had fetched of them."""
    topics = Topics(f"events.{uuid4().hex}", f"position.{uuid4().hex}")
    ensure_topics(kafka.bootstrap, topics)
    producer = open_producer(kafka.bootstrap, topics)
    producer.init_transactions()
    chance = random.Random(1)  # noqa: S311 - not a secret
    last = AT_ONCE * EVENTS.partitions * 5 // 4
    for first in range(1, last + 1, 1_000):
        producer.begin_transaction()
        for position in range(first, first + 1_000):
            headers = [("ce_position", b"%d" % position)]
            producer.send(topics.events, key=b"%d" % chance.randrange(3_000), value=b"x" * 700, headers=headers)
        producer.flush(timeout=30)
        producer.commit_transaction()
    producer.close()
    assert [message.position for message in read_topic(kafka.bootstrap, topics.events)] == list(range(1, last + 1))
