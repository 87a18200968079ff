"""CloudEvents 1.0 in Kafka's binary mode: the value is the public JSON, everything else stands in headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1, sha256
from typing import NamedTuple, TypeAlias
from uuid import UUID

from kafka.partitioner.default import murmur2
from pydantic_core import from_json

from adapters.kafka.public_events import PUBLIC_TYPES
from adapters.kafka.public_mapper import Unpublishable, public_content
from adapters.kafka.public_values import PublicType
from adapters.kafka.topic_settings import EVENTS
from domain.envelope import RecordedEvent

DIGITS = 19  # of the largest position and sequence: as text they sort as they count
DATA_HASH = "ce_datasha256"
ALWAYS = [("content-type", b"application/json"), ("ce_specversion", b"1.0")]
VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))  # a digit of a hash as the 17th of a UUID

Headers: TypeAlias = list[tuple[str, bytes]]


class Message(NamedTuple):
    """What is sent to the topic, or was read from it."""

    key: bytes
    value: bytes
    headers: Headers
    timestamp_ms: int
    partition: int


def message_of(event: RecordedEvent, source: str, types: Mapping[str, PublicType] = PUBLIC_TYPES) -> Message:
    """The message of an event of the ledger `source`, in the edition with these types; raises Unpublishable."""
    content = public_content(event, types)
    headers = headers_of(event, source, content.type)
    headers.append((DATA_HASH, sha256(content.value).hexdigest().encode()))
    key = key_of(event.organization_id)
    return Message(key, content.value, headers, timestamp_of(event), partition_of(key))


def expected_headers(event: RecordedEvent, source: str, kind: PublicType) -> dict[str, str]:
    """What the ledger alone says about the headers of an event's message; not `ce_datasha256`, which is of its JSON."""
    return {name: value.decode() for name, value in headers_of(event, source, kind)}


def headers_of(event: RecordedEvent, source: str, kind: PublicType) -> Headers:
    """The headers that come from the event's place in history, its envelope and its public type."""
    organization, stream = key_of(event.organization_id), str(event.originator_id).encode()
    try:
        # As it is stored: to make an `Envelope` of it and text of that again takes longer than all the rest.
        envelope = from_json(event.metadata)
        headers = [
            *ALWAYS,
            *kind.headers,
            ("ce_id", event_id(event.organization_id, b"event:%b:%d" % (stream, event.originator_version))),
            ("ce_source", source.encode()),
            ("ce_subject", stream),
            ("ce_time", timestamp(envelope["occurred_at"])),
            ("ce_sequence", b"%0*d" % (DIGITS, event.organization_seq)),
            ("ce_position", b"%0*d" % (DIGITS, event.position)),
            ("ce_organizationid", organization),
            ("ce_chainhash", event.chain_hash.hex().encode()),
            ("ce_effectiveat", timestamp(envelope["effective_at"])),
            ("ce_actorrole", envelope["actor_role"].encode()),
            ("ce_commandid", envelope["command_id"].encode()),
            ("ce_commandindex", b"%d" % envelope["index"]),
            ("ce_commandcount", b"%d" % envelope["count"]),
            ("ce_correlationid", envelope["correlation_id"].encode()),
        ]
        if envelope["causation_id"] is not None:
            headers.append(("ce_causationid", envelope["causation_id"].encode()))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it stops the relay with its position
        raise Unpublishable(event, f"its envelope cannot be read ({type(error).__name__})") from None
    return headers


def event_id(organization_id: UUID, place: bytes) -> bytes:
    """The same id at every attempt, made of where the event stands: what `uuid5` answers, in a third of its time."""
    digits = sha1(organization_id.bytes + place, usedforsecurity=False).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}".encode()


def key_of(organization_id: UUID) -> bytes:
    """All that an organization does is in one partition, in order."""
    return str(organization_id).encode()


@lru_cache(maxsize=65_536)
def partition_of(key: bytes) -> int:
    """Where every Kafka client finds the key; kept, because in Python the hash takes as long as half of the headers."""
    return int(murmur2(key) & 0x7FFFFFFF) % EVENTS.partitions


def timestamp_of(event: RecordedEvent) -> int:
    """When the ledger recorded the event, in milliseconds since 1970."""
    return event.recorded_at // 1000


@lru_cache(maxsize=1024)  # all events of a save were decided at the same time
def timestamp(stored: str) -> bytes:
    """RFC 3339 in UTC, to the microsecond."""
    moment = datetime.fromisoformat(stored).astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z").encode()
