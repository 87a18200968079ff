"""Sealed history: what is stored now against the leaves of the tree, and the tree against roots that were signed."""

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from domain.envelope import RecordedEvent
from projections.audit.leaf import hash_of
from projections.audit.merkle import HASH_BYTES, Frontier
from projections.audit.verify import Difference

NAMED = 1_000  # differences; those beyond are counted
COMPARED = 30  # of them with each other, to see what was moved


class Leaf(NamedTuple):
    """A leaf as the tree has it; its number is its place in the order."""

    position: int
    hash: bytes


class SignedRoot(NamedTuple):
    """The root of the tree at a size, as somebody has it in signed form."""

    size: int
    root: bytes
    where: str  # such as `the checkpoint in kept.txt`


@dataclass
class Finding:
    """A leaf whose event is not as it was sealed, or an event that has no leaf."""

    kind: Literal["changed", "deleted", "inserted", "damaged", "moved"]
    position: int
    leaf: int  # without one: the number of the leaf that follows
    event: RecordedEvent | None
    sealed: bytes | None  # the leaf's hash
    moved_to: RecordedEvent | None = None

    def told(self) -> Difference:
        what = {
            "changed": f"what is stored is not what was sealed as leaf {self.leaf}",
            "deleted": f"the event that was sealed as leaf {self.leaf} is not there",
            "inserted": f"it was not there when leaf {self.leaf}, which comes behind it, was sealed",
            "damaged": f"the tree's hash of leaf {self.leaf} is damaged; the event is the one that was signed for",
            "moved": f"what was sealed as leaf {self.leaf} was moved",
        }[self.kind]
        if self.moved_to:
            what += f" to position {self.moved_to.position}, {place(self.moved_to)}"
        elif self.event:
            what = f"{place(self.event)}: {what}"
        return at_position(self.position, what)


class SealedCheck:
    """Compares events in the order of position with the leaves of the tree; call `differences` once.

    Afterwards `size` is the number of leaves, and `unsealed` how many events come behind the last one.
    """

    def __init__(self, roots: Iterable[SignedRoot] = ()) -> None:
        """`roots` come in the order of their sizes."""
        self._roots = iter(roots)
        self._root = next((root for root in self._roots if root.size), None)  # of nothing, everything is true
        self._tree = Frontier()
        self._stored: Frontier | None = None  # the tree of the events as they are, where it is another one
        self._agreed, self._last_agreed = 0, 0  # up to which size, and position, a signed root holds
        self._last = 0  # position of a leaf
        self._broken = False
        self._findings: list[Finding] = []
        self._behind: list[RecordedEvent] = []
        self._more = 0
        self.unsealed = 0

    @property
    def size(self) -> int:
        return self._tree.size

    def differences(self, events: Iterable[RecordedEvent], leaves: Iterable[Leaf]) -> Iterator[Difference]:
        """Every difference of events and leaves in the order of position; then the signed roots that the tree lacks."""
        rest, roots = iter(events), list[Difference]()
        event = next(rest, None)
        for index, leaf in enumerate(leaves):
            if leaf.position <= self._last:
                yield at_position(leaf.position, f"the position of leaf {index} is not above that of the one before it")
            while event and event.position < leaf.position:
                self._note(Finding("inserted", event.position, index, event, None))
                event = next(rest, None)
            found = []
            while event and event.position == leaf.position:
                found.append(event)
                event = next(rest, None)
            self._see(index, leaf, found)
            self._last = leaf.position
            roots += self._compared()
        while event:
            self.unsealed += 1
            if len(self._behind) < COMPARED:
                self._behind.append(event)
            event = next(rest, None)
        self._find_moved()
        yield from (finding.told() for finding in self._findings)
        if self._more:
            yield Difference(check="tree", key="further on", what=f"{self._more} more events or leaves differ")
        yield from roots
        yield from self._cut_off()

    def _see(self, index: int, leaf: Leaf, found: list[RecordedEvent]) -> None:
        """One leaf, and the events at its position: one, if all is well."""
        hashes = [hash_or_nothing(event) for event in found]
        right = leaf.hash in hashes
        if not found:
            self._note(Finding("deleted", leaf.position, index, None, leaf.hash))
        elif not right:
            self._note(Finding("changed", leaf.position, index, found[0], leaf.hash))
            self._stored = self._stored or deepcopy(self._tree)
        beside = [event for event, its in zip(found, hashes, strict=True) if its != leaf.hash][0 if right else 1 :]
        for event in beside:
            self._note(Finding("inserted", leaf.position, index, event, None))
        self._tree.append(leaf.hash)
        if self._stored:
            self._stored.append(hashes[0] if found and not right else leaf.hash)

    def _note(self, finding: Finding) -> None:
        if len(self._findings) < NAMED:
            self._findings.append(finding)
        else:
            self._more += 1

    # Roots.

    def _compared(self) -> Iterator[Difference]:
        """The tree at its present size against the roots that were signed of that size."""
        while self._root and self._root.size <= self.size:
            size, root, where = self._root
            self._root = next(self._roots, None)
            if self._tree.root() == root:
                self._agreed, self._last_agreed = size, self._last
            elif self._stored and self._stored.root() == root:
                self._blame_the_tree(size)
                self._agreed, self._last_agreed = size, self._last
            elif not self._broken:
                self._broken = True  # no larger tree agrees any more, and none tells where it began
                what = (
                    f"{where} has another root: something after position {self._last_agreed} and up to {self._last},"
                    f" in leaves {self._agreed} to {size - 1}, was changed in history and in the tree"
                )
                yield Difference(check="tree", key=f"checkpoint {size}", what=what)

    def _blame_the_tree(self, size: int) -> None:
        for finding in self._findings:
            if finding.kind == "changed" and self._agreed <= finding.leaf < size:
                finding.kind = "damaged"

    def _cut_off(self) -> Iterator[Difference]:
        beyond = [*([self._root] if self._root else []), *deque(self._roots, maxlen=1)]
        if beyond:
            size, _, where = beyond[-1]
            also = f"; what stands after position {self._last_agreed} may be changed" * (self._agreed < self.size)
            gone = f"the end of history, after position {self._last}, is missing{also}"
            what = f"{where} is of {size} leaves, and the tree has {self.size}: {gone}"
            yield Difference(check="tree", key=f"checkpoint {size}", what=what)

    # What was moved: with its coordinates put back, an event is a leaf that is missed.

    def _find_moved(self) -> None:
        missed = [one for one in self._findings if one.kind in {"changed", "deleted"}][:COMPARED]
        by_hash = {one.sealed: one for one in missed}
        strange = [(one, one.event) for one in self._findings if one.event and one.kind != "damaged"][:COMPARED]
        behind = [(None, event) for event in self._behind] if missed else []
        for found, event in [*strange, *behind]:
            for before in befores(event, missed):
                origin = by_hash.pop(hash_or_nothing(before), None)
                if origin is None:
                    continue
                origin.kind, origin.moved_to = "moved", event
                if found and found is not origin and found.kind == "inserted":
                    self._findings.remove(found)
                self.unsealed -= found is None
                break


def hash_or_nothing(event: RecordedEvent) -> bytes:
    """The hash of its leaf; nothing for what could never be stored, such as a chain hash of another length."""
    try:
        return hash_of(event) if len(event.chain_hash) == HASH_BYTES else b""
    except (struct.error, TypeError, AttributeError):  # whoever owns the database may put in what no column takes
        return b""


def befores(event: RecordedEvent, missed: Iterable[Finding]) -> Iterator[RecordedEvent]:
    """The event with its coordinates exchanged for those of what is missed, each alone and both."""
    yield event
    for other in missed:
        yield replace(event, position=other.position)
        if other.event and other.event.organization_id == event.organization_id:
            yield replace(event, organization_seq=other.event.organization_seq)
            yield replace(event, position=other.position, organization_seq=other.event.organization_seq)


def place(event: RecordedEvent) -> str:
    return f"{event.organization_id} #{event.organization_seq}"


def at_position(position: int, what: str) -> Difference:
    return Difference(check="tree", key=f"position {position}", what=what)
