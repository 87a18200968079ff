"""From a recorded event to what others may know of it. Every event goes out, or stops the relay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from adapters.kafka.public_events import OPAQUE_TYPE, PUBLIC_TYPES
from adapters.kafka.public_values import PublicType
from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper

EMPTY = b"{}"

_MAPPER = PydanticMapper(PydanticJSON())


class Unpublishable(Exception):
    """An event that cannot go out, and must not be passed over."""

    def __init__(self, event: RecordedEvent, why: str) -> None:
        super().__init__(f"the event at position {event.position} ({event.topic}) cannot be published: {why}")
        self.position = event.position


class PublicContent(NamedTuple):
    """What a message is called and what it says."""

    type: PublicType
    value: bytes


def public_type(event: RecordedEvent, types: Mapping[str, PublicType] = PUBLIC_TYPES) -> PublicType:
    """The public type of an event, by its stored name; raises Unpublishable for a name that nobody declared."""
    try:
        return types[event.topic]
    except KeyError:
        why = "this version does not know its name; run the version that recorded it, or a later one"
        raise Unpublishable(event, why) from None


def public_content(event: RecordedEvent, types: Mapping[str, PublicType] = PUBLIC_TYPES) -> PublicContent:
    """The public type and value of an event; raises Unpublishable, with the position, when it cannot be read."""
    kind = public_type(event, types)
    if kind is OPAQUE_TYPE:
        return PublicContent(kind, EMPTY)
    try:
        told = kind.model.model_validate(_MAPPER.to_domain_event(event))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it stops the relay with its position
        # The error may quote the state, and the state must not be logged: only the kind of error is told.
        raise Unpublishable(event, f"its state cannot be read ({type(error).__name__})") from None
    return PublicContent(kind, kind.model.__pydantic_serializer__.to_json(told))
