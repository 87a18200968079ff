"""An event is what was sent, whichever way it came; what a later release adds does not disturb."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from pydantic_core import from_json

from adapters.http.events import as_told
from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import OPAQUE_TYPE
from adapters.kit import Event
from adapters.kit.event import MODELS
from adapters.kit.feed import FeedRecord
from adapters.kit.kafka_record import KafkaRecord
from tests.adapters.kafka.test_public_events import EVERY_STORED_STATE, recorded
from tests.adapters.kit.memory_topic import ADDED, ORGANIZATION, MemoryTopic, message

SOURCE = "/seatledger/a-ledger/1"


@pytest.mark.parametrize(("topic", "state"), EVERY_STORED_STATE)
def test_every_event_that_goes_out_comes_back_as_its_model_from_kafka_and_from_the_feed(
    topic: str, state: dict[str, Any]
) -> None:
    event = recorded(topic, state)
    sent = message_of(event, SOURCE)
    log = MemoryTopic()
    log.append(sent)
    by_kafka = KafkaRecord("memory", log.messages[sent.partition][0]).event()
    by_feed = FeedRecord(from_json(as_told(event, SOURCE)), "the feed").event()
    assert by_kafka == by_feed
    assert by_kafka.content == by_feed.content == sent.value
    assert (by_kafka.position, by_kafka.sequence, by_kafka.partition) == (48, 7, sent.partition)
    if by_kafka.type == OPAQUE_TYPE.name:
        assert by_kafka.is_opaque
    else:
        assert isinstance(by_kafka.data, MODELS[by_kafka.type])
        assert by_kafka.data.model_dump_json().encode() == sent.value


def test_fields_that_a_later_release_adds_are_left_out() -> None:
    sent = message(ORGANIZATION, 1, 10, topic=ADDED)
    more = json.dumps({**json.loads(sent.value), "since_then": {"added": 1}}).encode()
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in sent.headers}
    event = Event.of({**attributes, "datasha256": sha256(more).hexdigest()}, more, "here")
    assert not isinstance(event.data, dict)
    assert "since_then" not in event.data.model_dump()


def test_an_event_does_not_show_its_content_in_logs() -> None:
    sent = message(ORGANIZATION, 1, 10, topic=ADDED)
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in sent.headers}
    assert "member_id" not in repr(Event.of(attributes, sent.value, "here"))
