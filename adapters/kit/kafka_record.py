"""A message of the topic as a record: everything stands in its headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.kafka.cloud_event import key_of
from adapters.kit.event import Event
from adapters.kit.stops import MessageRefused

PREFIX = "ce_"
POSITION, SOURCE = "ce_position", "ce_source"
OVERHEAD = 2_000  # bytes of a message's headers, about


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """Wraps what the client answers."""

    topic: str
    message: Any

    @property
    def partition(self) -> int:
        return int(self.message.partition)

    @property
    def offset(self) -> int:
        return int(self.message.offset)

    @property
    def size(self) -> int:
        return len(self.message.value or b"") + OVERHEAD

    @property
    def where(self) -> str:
        return f"{self.topic} partition {self.partition} offset {self.offset}"

    def position(self) -> int:
        if self.message.value is None:
            raise MessageRefused(self.where, "it is a tombstone, and nothing here is ever taken back")
        for name, value in self.message.headers:
            if name == POSITION and value and value.isdigit():
                return int(value)
        raise self._foreign()

    def source(self) -> str | None:
        """The ledger and epoch that it names; None where it names none."""
        return next((value.decode(errors="replace") for name, value in self.message.headers if name == SOURCE), None)

    def event(self) -> Event:
        try:
            attributes = {name.removeprefix(PREFIX): value.decode() for name, value in self.message.headers}
        except (UnicodeDecodeError, AttributeError):
            raise self._foreign() from None
        event = Event.of(attributes, self.message.value, self.where)
        if self.message.key != key_of(event.organization_id):
            raise MessageRefused(self.where, "its key is not its organization")
        if self.partition != event.partition:
            raise MessageRefused(self.where, f"its organization's partition is {event.partition}")
        return event

    def _foreign(self) -> MessageRefused:
        return MessageRefused(self.where, "it is no CloudEvent of a ledger")
