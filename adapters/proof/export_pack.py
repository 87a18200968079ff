"""Exports an audit pack: what is sealed of everything, of a range of positions, or of one organization."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple
from uuid import UUID

from adapters.postgres.pack_reads import PackReads
from adapters.postgres.tree import NotSealed, Sealed
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import NoteInvalid, split
from adapters.proof.pack_file import README, Manifest, PackFile, What, event_item, subtree_item
from domain.envelope import RecordedEvent
from projections.audit.leaf import leaf_of
from projections.audit.merkle import Frontier, leaf_hash, subtrees

BATCH = 1_000  # items of a write
LAST_POSITION = (1 << 63) - 1


class PackRefused(Exception):
    """Says why there is no pack of what was asked for, and what to do about it."""


class NothingSealed(PackRefused):
    """Says that there is nothing yet of which a pack could be made."""


class TooMuch(PackRefused):
    """Says that there are more events than may go into this pack."""


class NotAsSealed(PackRefused):
    """Says that the ledger is not what was signed."""


@dataclass(frozen=True)
class Asked:
    """Of what: all where nothing is said, from and to a position, or one organization's. `cuts`: see `left_out`."""

    first: int = 0
    last: int = LAST_POSITION
    organization_id: UUID | None = None
    cuts: Sequence[int] = ()
    most: int | None = None  # events; more are refused

    @property
    def everything(self) -> bool:
        return (self.first, self.last, self.organization_id) == (0, LAST_POSITION, None)


@dataclass(frozen=True)
class Maker:
    """By whom and when a pack is made, and the keys that go into it for information."""

    product: str
    keys: Sequence[str] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


class Exported(NamedTuple):
    """What a pack has got."""

    manifest: Manifest
    events: int
    checkpoints: int  # beside the newest one
    not_sealed: int  # events of what was asked for that are recorded and not sealed yet


def export_pack(
    reads: PackReads,
    asked: Asked,
    file: BinaryIO,
    maker: Maker,
    begun: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> Exported:
    """Writes the pack; `begun` hears how many events there are, and gives what hears how many more are written.

    Raises PackRefused; what was written by then is no pack. What is written is compared with what was signed.
    """
    sealed = reads.tree.last_checkpoint()
    if sealed is None:
        raise NothingSealed("nothing is sealed yet: start the sealer, and look with `seatledger seal status`")
    try:
        return written(reads, asked, file, sealed, maker=maker, begun=begun)
    except (NotSealed, NoteInvalid) as lost:
        raise NotAsSealed(f"{lost}: find what differs with `seatledger audit verify`") from lost


def written(
    reads: PackReads,
    asked: Asked,
    file: BinaryIO,
    sealed: Sealed,
    *,
    maker: Maker,
    begun: Callable[[int], Callable[[int], None]],
) -> Exported:
    """Writes the pack of the newest checkpoint; raises NotSealed or NoteInvalid for what is damaged."""
    manifest, events = planned(reads, asked, sealed, maker)
    if asked.most is not None and events > asked.most:
        raise TooMuch(f"these are {events} events, more than {asked.most}: ask an operator for `audit export`")
    last = reads.tree.position_of(sealed.size - 1)
    daily = reads.daily(sealed.origin, sealed.size)
    pack = PackFile(file)
    pack.add("README.txt", README)
    pack.add("manifest.json", manifest.content())
    pack.add("keys.txt", "".join(f"{key}\n" for key in maker.keys).encode())
    pack.add("checkpoint", sealed.note.encode())
    pack.add("checkpoints", "".join(note for _, note in daily).encode())
    tree = Entries(reads, [*asked.cuts, *(size for size, _ in daily)])
    with pack.streamed("entries") as entries:
        more = begun(events)
        for items, told in in_batches(tree.items(manifest, last)):
            entries.write(items)
            more(told)
    pack.end()
    if (tree.frontier.size, tree.frontier.root()) != Checkpoint.parse(split(sealed.note)[0])[1:]:
        raise NotAsSealed("the ledger is not what was sealed of it: find what differs with `seatledger audit verify`")
    later = reads.later(last, asked.organization_id) if asked.last > last else 0
    return Exported(manifest, tree.events, len(daily), later)


def planned(reads: PackReads, asked: Asked, sealed: Sealed, maker: Maker) -> tuple[Manifest, int]:
    """What the pack will claim, and how many events it will show; refuses what has none."""
    start, end, events = 0, sealed.size, sealed.size
    what: What = "all"
    if asked.organization_id is not None:
        what = "organization"
        events = reads.events_of(asked.organization_id, reads.tree.position_of(sealed.size - 1))
    elif not asked.everything:
        what = "range"
        start = reads.leaves_up_to(asked.first - 1)
        end = min(sealed.size, reads.leaves_up_to(asked.last))
        events = end - start
    if events <= 0:
        raise NothingSealed("of these events none is sealed so far: see `seatledger seal status`, or ask for others")
    made_at = maker.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    origin, one = sealed.origin, asked.organization_id
    return Manifest(origin, sealed.size, what, start, end, one, made_at, maker.product), events


class Entries:
    """The tree from left to right, as it is written; and the tree that it gives."""

    def __init__(self, reads: PackReads, cuts: Iterable[int]) -> None:
        self.reads, self.cuts = reads, sorted(set(cuts))
        self.frontier, self.events = Frontier(), 0

    def items(self, manifest: Manifest, last: int) -> Iterator[bytes]:
        """Up to the last leaf of the manifest's tree, which is at position `last`."""
        for index, event in self.shown(manifest, last):
            gap = manifest.organization_id is not None and event.organization_seq != self.events + 1
            if gap or index is None or index < self.frontier.size:
                raise NotAsSealed(
                    f"the event at position {event.position}, or one before it, is not where it was sealed: find what"
                    " differs with `seatledger audit verify`"
                )
            yield from self.left_out(index)
            leaf = leaf_of(event)
            self.frontier.append(leaf_hash(leaf))
            self.events += 1
            yield event_item(leaf)
        yield from self.left_out(manifest.size)

    def shown(self, manifest: Manifest, last: int) -> Iterator[tuple[int | None, RecordedEvent]]:
        """The events that the pack shows, with the numbers of their leaves."""
        if manifest.organization_id is not None:
            return self.reads.numbered(manifest.organization_id, last)
        place = self.reads.tree.position_of
        return enumerate(self.reads.in_order(place(manifest.start), place(manifest.end - 1)), start=manifest.start)

    def left_out(self, end: int) -> Iterator[bytes]:
        """The leaves up to `end` as the largest whole subtrees, none of which goes over a cut.

        Cuts are sizes of checkpoints: whoever folds the entries comes by the tree of that size.
        """
        start = self.frontier.size
        for until in [*self.cuts[bisect_right(self.cuts, start) : bisect_left(self.cuts, end)], end]:
            for level, number in subtrees(start, until):
                root = self.reads.tree.node(level, number)
                self.frontier.append(root, level)
                yield subtree_item(level, root)
            start = until


def in_batches(items: Iterator[bytes]) -> Iterator[tuple[list[bytes], int]]:
    """Many items for one write, and how many of them are events."""
    batch: list[bytes] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch, told_in(batch)
            batch = []
    yield batch, told_in(batch)


def told_in(batch: Sequence[bytes]) -> int:
    return sum(item[0] == 0 for item in batch)
