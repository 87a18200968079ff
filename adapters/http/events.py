"""CloudEvents in their structured form: the same ids, positions and content as the messages on Kafka."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json

from adapters.kafka.cloud_event import message_of
from domain.envelope import RecordedEvent

NUMBERS = {"position", "sequence"}  # as text they sort as they count; JSON has them as CloudEvents defines them
PREFIX = "ce_"


class CloudEvent(BaseModel):
    """An event (CloudEvents 1.0, structured mode)."""

    specversion: str
    type: str = Field(description="Such as `seatledger.license_pool.licenses_resized.v1`.")
    id: str
    source: str = Field(description="The ledger and its epoch: positions of another one cannot be compared.")
    subject: str = Field(description="What it happened to.")
    time: datetime = Field(description="When it was decided.")
    datacontenttype: str
    dataschema: str | None = None
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
    causationid: str | None = None
    datasha256: str
    data: dict[str, Any]


def cloud_event(event: RecordedEvent, source: str) -> CloudEvent:
    """The event as it goes out; raises Unpublishable where it cannot."""
    message = message_of(event, source)
    told: dict[str, Any] = {}
    for name, value in message.headers:
        text = value.decode()
        told["datacontenttype" if name == "content-type" else name.removeprefix(PREFIX)] = text
    return CloudEvent(**told, data=from_json(message.value))
