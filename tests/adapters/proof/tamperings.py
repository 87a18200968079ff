"""What somebody who owns the database does to sealed history, by chance: a new history, and what is made to fit it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from uuid import UUID, uuid4

from domain.envelope import RecordedEvent
from projections.audit.chain import genesis, link
from projections.audit.leaf import hash_of

Events = list[RecordedEvent]


@dataclass(frozen=True)
class Tampering:
    """History as it is left behind; `tree` and `checkpoints`: whether they were made to fit."""

    kind: str
    events: Events
    tree: Literal["kept", "made anew"] = "kept"
    checkpoints: Literal["kept", "those that fit"] = "kept"


def first_difference(before: Sequence[RecordedEvent], after: Sequence[RecordedEvent]) -> int | None:
    """The first sealed position at which there is not exactly the event that was; found without the code under test."""
    was = {event.position: [hash_of(event)] for event in before}
    now: dict[int, list[bytes]] = {}
    for event in after:
        now.setdefault(event.position, []).append(hash_of(event))
    last = before[-1].position
    return min((at for at in was.keys() | now.keys() if at <= last and was.get(at) != now.get(at)), default=None)


# Each gets the sealed events, and gives history as it is afterwards.

EDITS: Mapping[str, Callable[[RecordedEvent, random.Random], Any]] = {
    "originator_id": lambda *_: uuid4(),
    "originator_version": lambda event, chance: event.originator_version + chance.choice([-1, 1, 1000]),
    "topic": lambda event, _: f"{event.topic}X",
    "state": lambda event, chance: flipped(event.state, chance),
    "metadata": lambda event, chance: flipped(event.metadata, chance),
    "recorded_at": lambda event, chance: event.recorded_at + chance.choice([-1, 1, 3_600_000_000]),
    "organization_id": lambda *_: uuid4(),
    "organization_seq": lambda event, chance: event.organization_seq + chance.choice([-1, 1, 1000]),
    "position": lambda event, chance: event.position + chance.choice([1_000_000, 2_000_000]),
    "chain_hash": lambda event, chance: flipped(event.chain_hash, chance),
}


def flipped(content: bytes, chance: random.Random) -> bytes:
    """One bit of it, or its last byte gone."""
    if len(content) > 40 and chance.random() < 0.1:
        return content[:-1]
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def put(events: Events, at: int, event: RecordedEvent) -> Events:
    return [*events[:at], event, *events[at + 1 :]]


def edited(events: Events, chance: random.Random, column: str) -> Events:
    at = chance.randrange(len(events))
    return put(events, at, replace(events[at], **{column: EDITS[column](events[at], chance)}))


def amount_edited(events: Events, chance: random.Random) -> Events:
    """As a fraud would: the same fields, another number."""
    at = chance.choice([place for place, event in enumerate(events) if b'"total":' in event.state])
    told = json.loads(events[at].state)
    told["total"] += chance.choice([-1, 1, 100])
    return put(events, at, replace(events[at], state=json.dumps(told, separators=(",", ":")).encode()))


def deleted(events: Events, chance: random.Random) -> Events:
    gone = set(chance.sample(range(len(events)), chance.choice([1, 1, 2, 9])))
    return [event for at, event in enumerate(events) if at not in gone]


def inserted(events: Events, chance: random.Random) -> Events:
    """A copy of some event as a new one of its organization, in a gap or beside another."""
    model, beside = chance.choice(events), chance.choice(events)
    position = chance.choice([beside.position, beside.position - 1])
    if any(event.position == position for event in events) and position != beside.position:
        position = beside.position
    after = max(event.organization_seq for event in events if event.organization_id == model.organization_id)
    new = replace(model, originator_id=uuid4(), organization_seq=after + 1, position=position)
    return in_order([*events, replace(new, chain_hash=link(model.chain_hash, new))])


def swapped(events: Events, chance: random.Random, columns: Sequence[str]) -> Events:
    """Two events exchange what they say, or where they stand."""
    while True:
        one, other = chance.sample(range(len(events)), 2)
        a, b = events[one], events[other]
        changed = put(events, one, replace(a, **{name: getattr(b, name) for name in columns}))
        changed = in_order(put(changed, other, replace(b, **{name: getattr(a, name) for name in columns})))
        if changed != events:
            return changed


def reordered(events: Events, chance: random.Random) -> Events:
    """The events of an organization change places with each other, and their chain is made to fit."""
    organization_id = organization_with(events, chance, at_least=3)
    places = [at for at, event in enumerate(events) if event.organization_id == organization_id]
    mixed = list(places)
    while mixed == places:
        chance.shuffle(mixed)
    changed = list(events)
    for at, source in zip(places, mixed, strict=True):
        changed[at] = replace(events[source], position=events[at].position)
    return rechained(changed, organization_id)


def truncated(events: Events, chance: random.Random) -> Events:
    return events[: -chance.choice([1, 2, 10, 100])]


def rewritten(events: Events, chance: random.Random) -> Events:
    """An organization's history with one event changed, and a chain that fits it."""
    organization_id = organization_with(events, chance, at_least=1)
    at = chance.choice([place for place, event in enumerate(events) if event.organization_id == organization_id])
    change = chance.choice(["state", "metadata", "recorded_at", "topic"])
    changed = put(events, at, replace(events[at], **{change: EDITS[change](events[at], chance)}))
    return rechained(changed, organization_id)


def organization_gone(events: Events, chance: random.Random) -> Events:
    organization_id = chance.choice(events).organization_id
    return [event for event in events if event.organization_id != organization_id]


def forked(events: Events, chance: random.Random) -> Events:
    """Back to an earlier moment, and on from there with other events."""
    left = chance.choice([120, 250, chance.randrange(1, len(events) - 1)])
    others = [replace(event, originator_id=uuid4()) for event in events[left:][: chance.choice([1, 5, 1000])]]
    history = [*events[:left], *others]
    for organization_id in {event.organization_id for event in others}:
        history = rechained(history, organization_id)
    return history


def organization_with(events: Events, chance: random.Random, at_least: int) -> UUID:
    while True:
        found = chance.choice(events).organization_id
        if sum(event.organization_id == found for event in events) >= at_least:
            return found


def rechained(events: Events, organization_id: UUID) -> Events:
    previous, seq, changed = genesis(organization_id), 0, list(events)
    for at, event in enumerate(events):
        if event.organization_id == organization_id:
            seq += 1
            one = replace(event, organization_seq=seq)
            changed[at] = replace(one, chain_hash=link(previous, one))
            previous = changed[at].chain_hash
    return changed


def in_order(events: Events) -> Events:
    return sorted(events, key=lambda event: event.position)


CONTENT, PLACE = ("topic", "state", "metadata"), ("position",)
HISTORIES: Mapping[str, Callable[[Events, random.Random], Events]] = {
    **{f"edit of {column}": partial(edited, column=column) for column in EDITS},
    "edit of an amount": amount_edited,
    "delete": deleted,
    "insert": inserted,
    "swap of content": partial(swapped, columns=CONTENT),
    "swap of positions": partial(swapped, columns=PLACE),
    "swap of sequences": partial(swapped, columns=("organization_seq",)),
    "reorder": reordered,
    "truncate": truncated,
    "organization rewritten": rewritten,
    "organization gone": organization_gone,
    "fork": forked,
}
# What is done to the tree as well; those of the last kind show by a checkpoint that is kept elsewhere alone.
THOROUGH = ("truncate", "organization rewritten", "organization gone", "reorder", "fork", "edit of an amount")


def kinds() -> list[str]:
    """All there are."""
    return [*HISTORIES, *(f"{kind}, tree too" for kind in THOROUGH), *(f"{kind}, all too" for kind in THOROUGH)]


def tampering(kind: str, events: Events, chance: random.Random) -> Tampering:
    """One of a kind, on the sealed events."""
    history, _, also = kind.partition(", ")
    changed = HISTORIES[history](list(events), chance)
    match also:
        case "tree too":
            return Tampering(kind, changed, "made anew")
        case "all too":
            return Tampering(kind, changed, "made anew", "those that fit")
        case _:
            return Tampering(kind, changed)
