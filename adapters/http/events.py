"""CloudEvents in their structured form: the same ids, positions and content as the messages on Kafka."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.skipped import NONE, Skips, is_skipped, placeholder_of
from domain.envelope import RecordedEvent

NUMBERS = {"commandindex", "commandcount"}  # positions and sequences are texts, which sort as they count
PREFIX = "ce_"


def absent(value: object) -> bool:
    """An attribute without a value does not stand in an event at all."""
    return value is None


class CloudEvent(BaseModel):
    """An event (CloudEvents 1.0, structured mode)."""

    specversion: str
    type: str = Field(description="Such as `seatledger.license_pool.licenses_resized.v1`.")
    id: str
    source: str = Field(description="The ledger and its epoch: positions of another one cannot be compared.")
    subject: str = Field(description="What it happened to.")
    time: datetime = Field(description="When it was decided.")
    datacontenttype: str
    dataschema: str | None = Field(default=None, exclude_if=absent)
    sequence: str = Field(description="Within the organization: 1, 2, 3, … without a gap; 19 digits, so that it sorts.")
    position: str = Field(description="Within the ledger: rising, with gaps; 19 digits.")
    organizationid: str
    chainhash: str
    effectiveat: datetime = Field(description="When it takes effect.")
    actorrole: str
    commandid: str
    commandindex: int
    commandcount: int
    correlationid: str
    causationid: str | None = Field(default=None, exclude_if=absent)
    datasha256: str
    data: dict[str, Any]


def as_told(event: RecordedEvent, source: str, skips: Skips = NONE) -> bytes:
    """The same as JSON, with the content as Kafka carries it, to the byte: `datasha256` is of it."""
    message = placeholder_of(event, source) if is_skipped(event, skips) else message_of(event, source)
    told = to_json(attributes_of(message))
    return b'%b,"data":%b}' % (told[:-1], message.value)


def attributes_of(message: Message) -> dict[str, str | int]:
    """What stands in the headers, by the names of the structured form."""
    told: dict[str, str | int] = {}
    for name, value in message.headers:
        known = "datacontenttype" if name == "content-type" else name.removeprefix(PREFIX)
        told[known] = int(value) if known in NUMBERS else value.decode()
    return told


def cloud_event(event: RecordedEvent, source: str) -> CloudEvent:
    """The event as it goes out; raises Unpublishable where it cannot."""
    message = message_of(event, source)
    return CloudEvent.model_validate({**attributes_of(message), "data": from_json(message.value)})
