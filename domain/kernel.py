"""All glue between pydantic and eventsourcing, once: values, events, aggregates and how they are stored."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast
from uuid import UUID

from eventsourcing.domain import BaseAggregate, CanInitAggregate, CanMutateAggregate
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from eventsourcing.utils import get_topic, resolve_topic
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json, to_json


class Value(BaseModel):
    """An immutable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AggregateEvent(BaseModel, CanMutateAggregate[UUID]):
    """A business fact about one aggregate. Who told it, when and why stands in the envelope, not here.

    `class_version` counts the shapes of the payload: version n + 1 brings a static `upcast_vn_vn+1(state)` that turns
    the dictionary of the older shape into the newer one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    class_version: ClassVar[int] = 1
    if TYPE_CHECKING:
        TOPIC: ClassVar[str]  # each event's own; the library looks whether a class has one

    originator_id: UUID
    originator_version: int
    timestamp: Any = None  # the library passes one; ours is `occurred_at` of the envelope

    @staticmethod
    def create_timestamp() -> Any:
        """Answers nothing: the domain has no clock."""


class AggregateBorn(AggregateEvent, CanInitAggregate[UUID]):
    """The first event of an aggregate."""

    originator_topic: str


class Aggregate(BaseAggregate[UUID]):
    """A consistency boundary: plain methods decide, `@event` bodies apply.

    `State` names everything that later decisions rest on, with its types: what a snapshot keeps.
    """

    if TYPE_CHECKING:
        TOPIC: ClassVar[str]  # each aggregate's own; at run time an annotation would make this a dataclass

    class Event(AggregateEvent):
        """Base of the events of every aggregate."""

    class State(Value):
        """What a snapshot of this aggregate keeps; a subclass for each aggregate."""

    occurred_at = cast("datetime | None", None)  # decision time of the last recorded event; set by the ledger

    @classmethod
    def born(cls, event_class: type[CanInitAggregate[UUID]], /, *, id: UUID, **facts: Any) -> Self:  # noqa: A002 - the library's word
        """Makes a new aggregate by telling its first event."""
        return cls._create(event_class, id=id, **facts)

    def tell(self, event_class: type[CanMutateAggregate[UUID]], /, **facts: Any) -> None:
        """Tells the next event and applies it."""
        self.trigger_event(event_class, **facts)

    @classmethod
    def shape(cls) -> bytes:
        """Fingerprints the types of `State`: a snapshot of another shape is ignored."""
        shape = cls.__dict__.get("_shape")
        if shape is None:
            schema = json.dumps(cls.State.model_json_schema(mode="serialization"), sort_keys=True)
            shape = cls._shape = hashlib.sha256(schema.encode()).digest()[:8]  # type: ignore[attr-defined]
        return cast("bytes", shape)

    def state(self) -> Value:
        """Everything that later decisions rest on."""
        return self.State.model_validate({name: getattr(self, name) for name in self.State.model_fields})

    def freeze(self) -> bytes:
        """Packs the state for a snapshot."""
        return to_json(self.state())

    @classmethod
    def thaw(cls, state: bytes, *, id: UUID, version: int) -> Self:  # noqa: A002 - the library's word
        """Rebuilds the aggregate from a packed state."""
        aggregate = cls.__new__(cls)
        aggregate.__base_init__(id, version, cast("datetime", None))
        aggregate.__dict__.update(dict(cls.State.model_validate_json(state)))
        return aggregate


def replay(events: Iterable[CanMutateAggregate[UUID]], start: Aggregate | None = None) -> Aggregate | None:
    """Folds events, oldest first, into the aggregate they tell of."""
    aggregate: Any = start
    for event in events:
        aggregate = event.mutate(aggregate)
    return cast("Aggregate | None", aggregate)


EMPTY = b"{}"


class PydanticJSON(Transcoder):
    """JSON by pydantic, for what the library asks of a transcoder."""

    def encode(self, obj: Any) -> bytes:
        return to_json(obj)

    def decode(self, data: bytes) -> Any:
        return from_json(data)


class PydanticMapper(Mapper[UUID]):
    """Events to stored bytes and back, in one pass of pydantic each way; older shapes are lifted on the way in."""

    ENVELOPE: ClassVar[set[str]] = {"originator_id", "originator_version", "timestamp"}
    VERSION: ClassVar = "class_version"
    TAGGED: ClassVar = b'{"class_version":'

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        kind = type(domain_event)
        state = kind.__pydantic_serializer__.to_json(domain_event, exclude=self.ENVELOPE)
        if kind.class_version > 1:
            state = to_json({self.VERSION: kind.class_version, **from_json(state)})
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, get_topic(kind), state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        kind = resolve_topic(stored_event.topic)
        state = stored_event.state
        if kind.class_version > 1 or state.startswith(self.TAGGED):
            state = self._lifted(stored_event, kind)
        # The place in the stream goes in as bytes, behind the payload, whose own word it overrules: one pass instead
        # of a dictionary in between halves the time.
        stream, version = str(stored_event.originator_id).encode(), stored_event.originator_version
        place = b'"originator_id":"%b","originator_version":%d}' % (stream, version)
        return kind.__pydantic_validator__.validate_json(b"%b%b%b" % (state[:-1], b"," * (state != EMPTY), place))

    def _lifted(self, stored_event: StoredEvent, kind: type[AggregateEvent]) -> bytes:
        """The payload in the newest shape of its class."""
        state = from_json(stored_event.state)
        version = state.pop(self.VERSION, 1)
        if version > kind.class_version:
            raise ValueError(f"{stored_event.topic} is stored as version {version}: update this program to read it")
        while version < kind.class_version:
            getattr(kind, f"upcast_v{version}_v{version + 1}")(state)
            version += 1
        return to_json(state)
