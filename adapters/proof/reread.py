"""Reads what is to be signed, or was signed, from the database anew, and compares: what is signed is what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from adapters.postgres.seal_session import LeafRow, SealSession
from adapters.postgres.tree import TILE_HASHES
from domain.envelope import RecordedEvent
from projections.audit.chain import genesis, link
from projections.audit.leaf import hash_of
from projections.audit.merkle import HASH_BYTES


class SealRefused(Exception):
    """Says what is not as it was, so that nothing is signed for it. A person must look."""


class EventDiffers(SealRefused):
    """History is not what the tree has of it, from a leaf on."""

    def __init__(self, leaf: int, what: str) -> None:
        super().__init__(f"leaf {leaf}: {what}; `seatledger audit verify` names everything that differs")
        self.leaf = leaf


class ChainBroken(SealRefused):
    """An event does not continue the history of its organization."""


class Reread(NamedTuple):
    """An event as it is stored now, with the hash of its leaf."""

    event: RecordedEvent
    leaf_hash: bytes


def reread(session: SealSession, start: int, end: int) -> Iterator[list[Reread]]:
    """The events of the leaves [start, end) as they are stored, a tile at a time; raises EventDiffers at the first."""
    after = session.tree().position_of(start - 1) if start else 0
    for number in range(start // TILE_HASHES, -(-end // TILE_HASHES)):
        first = number * TILE_HASHES
        places = range(max(0, start - first), min(TILE_HASHES, end - first))
        row = session.leaves(number)
        if len(row.positions) < places.stop:
            raise EventDiffers(first + len(row.positions), "the tree has lost it")
        if None in row.positions:  # nobody but the database's owner can have put that in
            raise EventDiffers(first + row.positions.index(None), "the tree has lost which event it is of")
        until = row.positions[places.stop - 1]
        # One more than there may be is enough to see that there are more.
        events = session.events(after, until, len(places) + 1)
        yield compared(row, first, places, events)
        after = until


def compared(row: LeafRow, first: int, places: range, events: Sequence[RecordedEvent]) -> list[Reread]:
    """Each event beside its leaf."""
    found: list[Reread] = []
    for place, event in zip(places, events, strict=False):
        leaf, position = first + place, row.positions[place]
        if event.position < position or (found and found[-1].event.position == event.position):
            raise EventDiffers(leaf, f"an event was put in at position {event.position} after it was sealed")
        if event.position > position:
            raise EventDiffers(leaf, f"the event at position {position} is not there any more")
        leaf_hash = hash_of(event)
        if leaf_hash != row.hash_at(place) or len(event.chain_hash) != HASH_BYTES:  # a leaf has no room for more
            raise EventDiffers(
                leaf,
                f"the event at position {position} (number {event.organization_seq} of organization"
                f" {event.organization_id}) is not the one that was sealed",
            )
        found.append(Reread(event, leaf_hash))
    if len(events) < len(places):
        place = places[len(events)]
        raise EventDiffers(first + place, f"the event at position {row.positions[place]} is not there any more")
    if len(events) > len(places):
        what = f"an event was put in at position {events[-1].position} after it was sealed"
        raise EventDiffers(first + places[-1], what)
    return found


class Chains:
    """Whether each new event continues its organization's history, which itself is sealed."""

    def __init__(self, session: SealSession) -> None:
        self._session = session
        self._last: dict[UUID, tuple[int, bytes]] = {}

    def see(self, events: Sequence[RecordedEvent]) -> None:
        """The next events, in order; raises ChainBroken."""
        self._look_up(events)
        for event in events:
            seq, chain_hash = self._last[event.organization_id]
            if event.organization_seq != seq + 1:
                raise ChainBroken(f"{named(event)} does not follow number {seq}")
            if event.chain_hash != link(chain_hash, event):
                raise ChainBroken(f"{named(event)} does not have the chain hash that its bytes give")
            self._last[event.organization_id] = event.organization_seq, event.chain_hash

    def _look_up(self, events: Sequence[RecordedEvent]) -> None:
        """What stands in front of organizations that come for the first time."""
        first: dict[UUID, RecordedEvent] = {}
        for event in events:
            if event.organization_id not in self._last:
                first.setdefault(event.organization_id, event)
        begin = {one: event for one, event in first.items() if event.organization_seq == 1}
        self._last |= {organization_id: (0, genesis(organization_id)) for organization_id in begin}
        asked = {one: event.organization_seq - 1 for one, event in first.items() if one not in begin}
        found = self._session.before(asked) if asked else {}
        for organization_id, seq in asked.items():
            before = found.get(organization_id)
            if before is None:
                raise ChainBroken(f"{named(first[organization_id])} has no event before it")
            if not before.sealed:
                raise ChainBroken(f"the event before {named(first[organization_id])} came into history unsealed")
            self._last[organization_id] = seq, before.chain_hash


def named(event: RecordedEvent) -> str:
    return f"number {event.organization_seq} of organization {event.organization_id} (position {event.position})"
