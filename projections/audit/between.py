"""Between: how a thing differs at two moments, field by field, and the events that made the difference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.holders import Holders
from domain.kernel import Aggregate, PydanticMapper, Value
from projections.audit.replay import folded

HELD = "held"  # the value of a field such as holders.<member id>


class ChangedField(Value):
    """A field that differs, by its path: `price.unit_price_minor`, `batches[0].licenses`, `holders.<member id>`."""

    field: str
    before: Any  # none: it was not there
    after: Any
    made_by: tuple[int, ...]  # the positions of the events that changed it


class Maker(Value):
    """An event that counts at one of the moments and not at the other."""

    position: int
    organization_seq: int
    version: int
    event: str
    actor_id: UUID
    actor_role: str
    command: str
    command_id: UUID
    occurred_at: datetime
    effective_at: datetime
    recorded_at: datetime


class Between(Value):
    """An aggregate that is not the same at two moments; a version is none where it is not born by then."""

    aggregate: str
    aggregate_id: UUID
    version_before: int | None
    version_after: int | None
    fields: tuple[ChangedField, ...]
    events: tuple[Maker, ...]


@dataclass
class Folded:
    """An aggregate at a moment, and which of its fields each event on the way changed that counts only then."""

    aggregate: Aggregate | None = None
    changed: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)  # by field: position, and the event

    @classmethod
    def at(cls, events: Iterable[RecordedEvent], mapper: PydanticMapper, as_of: AsOf, other: AsOf) -> "Folded":
        here = cls()
        known: dict[str, Any] | None = None  # what the fields were; none: to be looked at
        for event in events:
            if not as_of.counts(event):
                continue
            if other.counts(event):
                here.aggregate, known = folded(here.aggregate, event, mapper), None
                continue
            before = fingerprints(here.aggregate) if known is None else known
            here.aggregate = folded(here.aggregate, event, mapper)
            known = fingerprints(here.aggregate)
            told = mapper.to_domain_event(event)
            for name in known:
                if before.get(name) != known[name]:
                    here.changed.setdefault(name, []).append((event.position, told))
        return here

    def makers_of(self, path: str) -> Iterator[int]:
        """Of a holder only the events that name them, or that end all assignments at once."""
        name, _, rest = path.partition(".")
        for position, told in self.changed.get(name.partition("[")[0], ()):
            if not is_holders(self.aggregate, name) or str(getattr(told, "member_id", rest)) == rest:
                yield position


def between(events: Sequence[RecordedEvent], mapper: PydanticMapper, before: AsOf, after: AsOf) -> Between | None:
    """From all events of one aggregate, oldest first; None where the same ones count at both moments."""
    makers = [event for event in events if before.counts(event) != after.counts(event)]
    if not makers:
        return None
    first, second = Folded.at(events, mapper, before, after), Folded.at(events, mapper, after, before)
    aggregate = second.aggregate or first.aggregate
    if aggregate is None:
        return None
    return Between(
        aggregate=type(aggregate).__name__,
        aggregate_id=aggregate.id,
        version_before=first.aggregate.version if first.aggregate else None,
        version_after=second.aggregate.version if second.aggregate else None,
        fields=tuple(changed_fields(first, second)),
        events=tuple(map(maker, makers)),
    )


def changed_fields(first: Folded, second: Folded) -> Iterator[ChangedField]:
    """Every leaf of the state that is not the same, in the order of the state."""
    before, after = flat(first.aggregate), flat(second.aggregate)
    for path in {**after, **before}:
        if before.get(path) != after.get(path):
            yield ChangedField(
                field=path,
                before=before.get(path),
                after=after.get(path),
                made_by=tuple(sorted({*first.makers_of(path), *second.makers_of(path)})),
            )


def flat(aggregate: Aggregate | None) -> dict[str, Any]:
    """The state as leaves by their paths; empty before the birth."""
    if aggregate is None:
        return {}
    leaves: dict[str, Any] = {}
    for name, value in dumped(aggregate).items():
        if isinstance(held := getattr(aggregate, name), Holders):
            leaves |= {f"{name}.{member_id}": HELD for member_id in held}
        else:
            leaves |= dict(leaves_of(value, name))
    return leaves


def leaves_of(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves_of(part, f"{path}.{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves_of(part, f"{path}[{place}]")
    else:
        yield path, value


def fingerprints(aggregate: Aggregate | None) -> dict[str, Any]:
    """What each field is, to be compared; of holders how many they are, for each event about them changes that."""
    if aggregate is None:
        return {}
    values = dumped(aggregate)
    return {name: len(getattr(aggregate, name)) if is_holders(aggregate, name) else values[name] for name in values}


def dumped(aggregate: Aggregate) -> dict[str, Any]:
    """The fields of the state as JSON has them; of holders nothing, for they may be very many."""
    names = type(aggregate).State.model_fields
    packed = {name for name in names if is_holders(aggregate, name)}
    values = aggregate.state().model_dump(mode="json", exclude=packed)
    return {name: values.get(name) for name in names}


def is_holders(aggregate: Aggregate | None, name: str) -> bool:
    return isinstance(getattr(aggregate, name, None), Holders)


def maker(event: RecordedEvent) -> Maker:
    envelope = event.envelope
    return Maker(
        position=event.position,
        organization_seq=event.organization_seq,
        version=event.originator_version,
        event=event.topic.removeprefix("seatledger."),
        actor_id=envelope.actor_id,
        actor_role=envelope.actor_role,
        command=envelope.command,
        command_id=envelope.command_id,
        occurred_at=envelope.occurred_at,
        effective_at=envelope.effective_at,
        recorded_at=event.recorded_time,
    )
