"""Finished messages in the batches of the relay, each with the position behind it: nothing is left but to send them."""

from __future__ import annotations

import gc
from typing import NamedTuple

from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.relay import BATCH
from adapters.kafka.relay_position import RelayPosition
from adapters.kafka.topic_settings import Topics
from adapters.postgres.relay_session import RelaySession
from bench.program import Settings


class Batch(NamedTuple):
    """What one transaction takes."""

    messages: list[Message]
    position: RelayPosition


def finished(settings: Settings, topics: Topics) -> list[Batch]:
    """Of all history up to a position. What is held here is the measurement's: garbage is not looked for in it."""
    with RelaySession(settings["database"], topics.events) as session:
        source = session.source()
        events = list(session.events_until(settings["until"]))
    batches = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    held = [
        Batch([message_of(event, source) for event in batch], RelayPosition.of(batch[-1], source)) for batch in batches
    ]
    gc.collect()
    gc.freeze()
    return held


def told(batches: list[Batch], times: int) -> int:
    """How many events they tell, sent so often."""
    return sum(len(batch.messages) for batch in batches) * times
