"""Packs of a log without a database, taken apart again, and whether what a verifier found in one is true."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID
from zipfile import ZipFile

from adapters.postgres.tree import Sealed
from adapters.proof import verify_pack
from adapters.proof.export_pack import Asked, Exported, Maker, export_pack
from adapters.proof.pack_file import PackFile
from domain.envelope import RecordedEvent
from projections.audit.leaf import leaf_of
from projections.audit.merkle import leaf_hash
from projections.audit.tiles import root_above
from tests.adapters.proof.logs import EVENTS, LOG_KEY, ORIGIN, SIZE, note

if TYPE_CHECKING:
    from adapters.postgres.pack_reads import PackReads

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MAKER = Maker("seatledger 0.1.0", (str(LOG_KEY),), NOW)
KEY = verify_pack.key_of(str(LOG_KEY))
FIRST, LAST = EVENTS[0].position, EVENTS[-1].position


class MemoryTree:
    """The tree of the log, as `TreeReads` gives it."""

    def __init__(self, size: int) -> None:
        self.size = size

    def last_checkpoint(self) -> Sealed | None:
        return Sealed(ORIGIN, self.size, note(self.size), NOW)

    def position_of(self, index: int) -> int:
        return EVENTS[index].position

    def node(self, level: int, number: int) -> bytes:
        below = EVENTS[number << level : (number + 1) << level]
        assert len(below) == 1 << level
        assert (number + 1) << level <= self.size
        return root_above(leaf_hash(leaf_of(event)) for event in below)


class MemoryReads:
    """The log, as `PackReads` gives it; `daily_sizes` are those of checkpoints of other days."""

    def __init__(self, size: int = SIZE, daily_sizes: Sequence[int] = ()) -> None:
        self.tree, self.daily_sizes = MemoryTree(size), daily_sizes

    def leaves_up_to(self, position: int) -> int:
        return bisect_right([event.position for event in EVENTS], position)

    def later(self, position: int, organization_id: UUID | None = None) -> int:
        later = (event for event in EVENTS if event.position > position)
        return sum(organization_id in {None, event.organization_id} for event in later)

    def events_of(self, organization_id: UUID, last: int) -> int:
        return sum(1 for _ in self.numbered(organization_id, last))

    def daily(self, origin: str, size: int) -> list[tuple[int, str]]:
        assert origin == ORIGIN
        return [(one, note(one)) for one in sorted(self.daily_sizes) if one < size]

    def in_order(self, first: int, last: int) -> Iterator[RecordedEvent]:
        return (event for event in EVENTS if first <= event.position <= last)

    def numbered(self, organization_id: UUID, last: int) -> Iterator[tuple[int | None, RecordedEvent]]:
        for index, event in enumerate(EVENTS):
            if event.organization_id == organization_id and event.position <= last:
                yield index, event


def exported(asked: Asked, reads: MemoryReads | None = None) -> tuple[bytes, Exported]:
    file = io.BytesIO()
    done = export_pack(cast("PackReads", reads or MemoryReads()), asked, file, MAKER)
    return file.getvalue(), done


def verified(pack: bytes, *kept: str, keys: Sequence[verify_pack.Key] = (KEY,)) -> verify_pack.Verified:
    return verify_pack.verify(io.BytesIO(pack), keys=keys, kept=[(f"kept {one[:40]}", one.encode()) for one in kept])


def members_of(pack: bytes) -> dict[str, bytes]:
    """What is in it, read by another's code."""
    with ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """A file of these members, with the checksums that fit them."""
    file = io.BytesIO()
    made = PackFile(file)
    for name, content in members.items() if isinstance(members, Mapping) else members:
        made.add(name, content)
    made.end()
    return file.getvalue()


def items_of(entries: bytes) -> list[bytes]:
    """The items of well formed entries."""
    items, at = list[bytes](), 0
    while at < len(entries):
        length = 34 if entries[at] else 5 + struct.unpack_from(">I", entries, at + 1)[0]
        items.append(entries[at : at + length])
        at += length
    return items


def is_true(found: verify_pack.Verified, pack: bytes) -> bool:
    """Whether what was found in a pack is so, and what stands in it is what was sealed."""
    shown, index = dict[int, bytes](), 0
    for item in items_of(members_of(pack)["entries"]):
        if item[0] == 0:
            shown[index] = item[5:]
        index += 1 if item[0] == 0 else 1 << item[1]
    ledger, size = found.ledger, found.checkpoint.size
    of_it = [number for number, event in enumerate(EVENTS) if event.organization_id.bytes == ledger.only]
    return (
        index == size <= SIZE
        and found.checkpoint.root == root_above(leaf_hash(leaf_of(event)) for event in EVENTS[:size])
        and all(leaf == leaf_of(EVENTS[number]) for number, leaf in shown.items())
        and len(shown) == ledger.events
        and list(shown) == (of_it[: len(shown)] if ledger.only else list(range(ledger.start, ledger.end)))
        and (ledger.what != "all" or len(shown) == size)
    )
