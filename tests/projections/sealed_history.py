"""A sealed history without a database: chained events of some organizations, their leaves, tiles and signed roots."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from domain.envelope import RecordedEvent
from projections.audit.chain import genesis, link
from projections.audit.leaf import hash_of
from projections.audit.merkle import Frontier
from projections.audit.sealed import Leaf, SealedCheck, SignedRoot
from projections.audit.tiles import FULL, Tile, root_above
from projections.audit.verify import Difference
from tests.examples import an_id

ORGANIZATIONS = [an_id(number) for number in (1, 2, 3)]


def history_of(size: int, seed: int = 0) -> list[RecordedEvent]:
    """Events of three organizations in turn by chance; positions rise with gaps."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    events: list[RecordedEvent] = []
    position = 0
    for number in range(size):
        position += chance.randint(1, 3)
        organization_id = chance.choice(ORGANIZATIONS)
        of_it = [event for event in events if event.organization_id == organization_id]
        event = RecordedEvent(
            an_id(chance.randint(100, 110)),
            number + 1,
            "seatledger.LicensePool.LicensesResized",
            b'{"total":%d}' % number,
            organization_id=organization_id,
            organization_seq=len(of_it) + 1,
            position=position,
            recorded_at=1_000_000 + number,
            metadata=b"{}",
            chain_hash=b"",
        )
        events.append(chained(event, of_it[-1].chain_hash if of_it else None))
    return events


def chained(event: RecordedEvent, previous: bytes | None) -> RecordedEvent:
    return replace(event, chain_hash=link(previous or genesis(event.organization_id), event))


def rechained(events: Sequence[RecordedEvent], organization_id: UUID) -> list[RecordedEvent]:
    """The events with the chain of one organization computed anew, as whoever rewrites it would."""
    previous, seq, anew = None, 0, []
    for event in events:
        one = event
        if event.organization_id == organization_id:
            seq += 1
            one = chained(replace(event, organization_seq=seq), previous)
            previous = one.chain_hash
        anew.append(one)
    return anew


def leaves_of(events: Iterable[RecordedEvent]) -> list[Leaf]:
    return [Leaf(event.position, hash_of(event)) for event in events]


def roots_of(events: Sequence[RecordedEvent], *sizes: int) -> list[SignedRoot]:
    return [SignedRoot(size, root_above(hash_of(event) for event in events[:size]), "the checkpoint") for size in sizes]


def tiles_of(leaves: Sequence[Leaf]) -> list[Tile]:
    tiles, level, hashes = list[Tile](), 0, [leaf.hash for leaf in leaves]
    while hashes:
        rows = [hashes[start : start + FULL] for start in range(0, len(hashes), FULL)]
        for number, row in enumerate(rows):
            positions = [leaf.position for leaf in leaves[number * FULL :][: len(row)]] if level == 0 else None
            tiles.append(Tile(level, number, b"".join(row), positions))
        hashes = [root_above(row) for row in rows if len(row) == FULL]
        level += 1
    return tiles


def found_in(
    events: Iterable[RecordedEvent], leaves: Iterable[Leaf], roots: Iterable[SignedRoot] = ()
) -> list[Difference]:
    return list(SealedCheck(roots).differences(events, leaves))


def tree_of(leaves: Iterable[Leaf]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf.hash)
    return frontier
