"""Whether the topic tells what the ledger tells: same events, once, in order, unaltered. Every difference is named.

Public JSON is never computed again: yesterday's is not what today's models would write. That it is what was sent, its
own hash in the header says; everything else in a message comes from the ledger and is compared with it. A message may
have been published by any release: then it has the headers and the type of that release, all of them and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple, Protocol

from adapters.kafka.cloud_event import DATA_HASH, expected_headers, key_of, timestamp_of
from adapters.kafka.public_events import PUBLIC_TYPES, SKIPPED_TYPE, types_of
from adapters.kafka.public_mapper import Unpublishable, public_type
from adapters.kafka.public_values import PublicType
from adapters.kafka.relay_position import read_position
from adapters.kafka.releases import headers_by_release
from adapters.kafka.skipped import NONE, Skips, is_skipped, placeholder_headers
from adapters.kafka.topic import TopicMessage, read_topic
from adapters.kafka.topic_settings import Topics
from domain.envelope import RecordedEvent


class Difference(NamedTuple):
    """What is not as the ledger tells, by the position of its event; 0 where a message does not say which."""

    position: int
    what: Literal["missing", "extra", "doubled", "out of order", "altered"]
    detail: str


class History(Protocol):
    """What is asked of the ledger."""

    def source(self) -> str:
        """How this ledger is called in messages."""

    def earlier_sources(self) -> Collection[str]:
        """How it was called before its forks: the topic may have those messages too, and nothing is said of them."""

    def skips(self, edition: int) -> Skips:
        """The events in whose place a placeholder was published."""

    def events_until(self, position: int) -> Iterator[RecordedEvent]:
        """All events up to a position that is settled, in order of position."""


def compare_topic(bootstrap: str, topics: Topics, history: History) -> Iterator[Difference]:
    """Every difference up to where the relay was when this began; it may go on meanwhile. Raises PositionLost."""
    source, earlier, types = history.source(), history.earlier_sources(), types_of(topics.edition)
    relayed = read_position(bootstrap, topics, source, earlier)
    until = relayed.position if relayed else 0
    beyond: list[TopicMessage] = []
    published = _until(until, read_topic(bootstrap, topics.events, without=earlier), beyond)
    yield from compare(published, history.events_until(until), source, types, history.skips(topics.edition))
    if beyond:
        relayed = read_position(bootstrap, topics, source, earlier)
        for message in beyond:
            if relayed is None or message.position > relayed.position:
                yield Difference(message.position, "extra", f"{message.place} is beyond what the relay published")


def compare(
    messages: Iterable[TopicMessage],
    events: Iterable[RecordedEvent],
    source: str,
    types: Mapping[str, PublicType] = PUBLIC_TYPES,
    skips: Skips = NONE,
) -> Iterator[Difference]:
    """Every difference between messages and events, both by rising position."""
    history = iter(events)
    event = next(history, None)
    missing: set[int] = set()
    last = 0
    for message in messages:
        position = message.position
        if position <= last:
            yield _too_late(message, missing)
            continue
        last = position
        while event is not None and event.position < position:
            missing.add(event.position)
            event = next(history, None)
        if event is None or event.position != position:
            yield Difference(position, "extra", f"{message.place} tells of an event that the ledger does not have")
            continue
        if altered := _altered(message, event, source, types, skips):
            yield Difference(position, "altered", f"{message.place} has another {', another '.join(altered)}")
        event = next(history, None)
    while event is not None:
        missing.add(event.position)
        event = next(history, None)
    for position in sorted(missing):
        yield Difference(position, "missing", "no message tells of this event")


def _too_late(message: TopicMessage, missing: set[int]) -> Difference:
    if message.position == 0:
        return Difference(0, "extra", f"{message.place} has no readable ce_position")
    if message.position in missing:
        missing.remove(message.position)
        return Difference(message.position, "out of order", f"{message.place} stands after a later event")
    return Difference(message.position, "doubled", f"{message.place} tells of an event again, or of none that there is")


def _altered(
    message: TopicMessage, event: RecordedEvent, source: str, types: Mapping[str, PublicType], skips: Skips
) -> list[str]:
    """What of a message is not as the ledger tells, and never was in any release."""
    try:
        if is_skipped(event, skips):
            kind = SKIPPED_TYPE
            today = {name: value.decode() for name, value in placeholder_headers(event, source)}
        else:
            kind = public_type(event, types)
            today = expected_headers(event, source, kind)
    except Unpublishable as error:
        return [f"name than it can have ({error})"]
    found = dict(message.headers)
    hash_of_value = found.pop(DATA_HASH, None)
    altered = _different(today, found)
    if altered:
        altered = min((_different(told, found) for told in headers_by_release(today, kind)), key=len)
    if message.key != key_of(event.organization_id):
        altered.append("key")
    if message.timestamp_ms != timestamp_of(event):
        altered.append("timestamp")
    if hash_of_value != sha256(message.value).hexdigest():
        altered.append(f"value or {DATA_HASH}")
    return altered


def _different(told: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    return [name for name in sorted(told.keys() | found.keys()) if told.get(name) != found.get(name)]


def _until(position: int, messages: Iterable[TopicMessage], beyond: list[TopicMessage]) -> Iterator[TopicMessage]:
    for message in messages:
        if message.position > position:
            beyond.append(message)
        else:
            yield message
