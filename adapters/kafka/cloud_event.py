"""CloudEvents 1.0 in Kafka's binary mode: the value is the public JSON, everything else stands in headers."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID, uuid5

from adapters.kafka.public_mapper import public_content, public_type
from adapters.kafka.public_values import PublicType
from domain.envelope import RecordedEvent

DIGITS = 19  # of the largest position and sequence: as text they sort as they count
CONTENT_TYPE = "application/json"


class Message(NamedTuple):
    """What is sent to the topic, or was read from it."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


def message_of(event: RecordedEvent, source: str) -> Message:
    """The message of an event of the ledger `source`; raises Unpublishable."""
    content = public_content(event)
    headers = headers_of(event, source, content.type)
    headers["ce_datasha256"] = sha256(content.value).hexdigest()
    return Message(
        key=key_of(event.organization_id),
        value=content.value,
        headers=[(name, value.encode()) for name, value in headers.items()],
        timestamp_ms=timestamp_of(event),
    )


def expected_headers(event: RecordedEvent, source: str) -> dict[str, str]:
    """What the ledger alone says about the headers of an event's message; not `ce_datasha256`, which is of its JSON."""
    return headers_of(event, source, public_type(event))


def headers_of(event: RecordedEvent, source: str, kind: PublicType) -> dict[str, str]:
    """The headers that come from the event's place in history, its envelope and its public type."""
    envelope = event.envelope
    headers = {
        "content-type": CONTENT_TYPE,
        "ce_specversion": "1.0",
        "ce_id": str(event_id(event)),
        "ce_type": kind.name,
        "ce_source": source,
        "ce_subject": str(event.originator_id),
        "ce_time": timestamp(envelope.occurred_at),
        "ce_dataschema": kind.schema_id,
        "ce_sequence": f"{event.organization_seq:0{DIGITS}}",
        "ce_position": f"{event.position:0{DIGITS}}",
        "ce_organizationid": str(event.organization_id),
        "ce_chainhash": event.chain_hash.hex(),
        "ce_effectiveat": timestamp(envelope.effective_at),
        "ce_actorrole": envelope.actor_role,
        "ce_commandid": str(envelope.command_id),
        "ce_commandindex": str(envelope.index),
        "ce_commandcount": str(envelope.count),
        "ce_correlationid": str(envelope.correlation_id),
    }
    if envelope.causation_id is not None:
        headers["ce_causationid"] = str(envelope.causation_id)
    return headers


def event_id(event: RecordedEvent) -> UUID:
    """The same id at every attempt, made of where the event stands."""
    return uuid5(event.organization_id, f"event:{event.originator_id}:{event.originator_version}")


def key_of(organization_id: UUID) -> bytes:
    """All that an organization does is in one partition, in order."""
    return str(organization_id).encode()


def timestamp_of(event: RecordedEvent) -> int:
    """When the ledger recorded the event, in milliseconds since 1970."""
    return event.recorded_at // 1000


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
