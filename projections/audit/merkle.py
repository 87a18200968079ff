"""The Merkle tree of RFC 6962: hashes, roots and proofs. What is proved with it, `leaf` says.

A tree of `size` leaves is the same for everybody who has the leaves: whoever keeps its root can check later that a leaf
is in it (inclusion), and that a larger tree begins with it (consistency), from a number of hashes that grows with the
logarithm of the size.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TypeAlias

HASH_BYTES = 32
LARGEST = 1 << 62  # leaves
EMPTY_ROOT = sha256().digest()

Node: TypeAlias = Callable[[int, int], bytes]
"""The hash of a whole subtree, by its level (0: a leaf) and its number on that level from the left."""


class ProofInvalid(ValueError):
    """Says why a proof does not prove what it is shown for."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The whole subtrees of a tree that grows at its right end: one for each bit of its size, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # by level

    def append(self, found: bytes, level: int = 0) -> None:
        """Adds the hash of a leaf, or of a whole subtree of 2**level; raises ProofInvalid where none can begin."""
        if self.size & ((1 << level) - 1) or self.size + (1 << level) > LARGEST:
            raise ProofInvalid(f"no subtree of level {level} begins at leaf {self.size}")
        self.size += 1 << level
        while self._peaks and self._peaks[-1][0] == level:
            found = node_hash(self._peaks.pop()[1], found)
            level += 1
        self._peaks.append((level, found))

    def root(self) -> bytes:
        return joined([found for _, found in self._peaks])


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root above neighbouring subtrees, the largest first."""
    if not peaks:
        return EMPTY_ROOT
    found = peaks[-1]
    for left in reversed(peaks[:-1]):
        found = node_hash(left, found)
    return found


# Proofs, made of the hashes of whole subtrees.


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole subtrees, by level and number, of which [start, end) consists; the largest that fit, from the left."""
    while start < end:
        level = min((start & -start).bit_length() - 1 if start else LARGEST, (end - start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def root_of(node: Node, start: int, end: int) -> bytes:
    """The root above the leaves [start, end), of which the largest whole subtree begins at `start`."""
    return joined([node(level, number) for level, number in subtrees(start, end)])


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """What leads from a leaf to the root of the tree of `size` leaves; from the bottom."""
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(root_of(node, middle, end))
            end = middle
        else:
            proof.append(root_of(node, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(node: Node, earlier: int, size: int) -> list[bytes]:
    """What shows that the tree of `size` leaves begins with the one of `earlier` leaves."""
    if not 0 <= earlier <= size:
        raise ProofInvalid(f"a tree of {size} leaves does not begin with one of {earlier}")
    if earlier in {0, size}:
        return []
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while end != earlier:
        middle = start + split(end - start)
        if earlier <= middle:
            proof.append(root_of(node, middle, end))
            end = middle
        else:
            proof.append(root_of(node, start, middle))
            start, whole = middle, False
    return [*([] if whole else [root_of(node, start, end)]), *proof[::-1]]


def split(count: int) -> int:
    """How many of `count` leaves stand left: the largest power of two below it."""
    return 1 << ((count - 1).bit_length() - 1)


# Proofs, checked by whoever kept a root.


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises ProofInvalid unless `leaf`, by its hash, is number `index` of the tree of `size` leaves with this root."""
    refuse_unsound(leaf, root, *proof)
    if not 0 <= index < size <= LARGEST:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    found = leaf
    for other, is_left in climbed(index, size - 1, proof):
        found = node_hash(other, found) if is_left else node_hash(found, other)
    if found != root:
        raise ProofInvalid("the proof leads to another root")


def check_consistency(earlier: int, size: int, proof: Sequence[bytes], earlier_root: bytes, root: bytes) -> None:
    """Raises ProofInvalid unless the tree of `size` leaves begins with that of `earlier` leaves, by both roots."""
    refuse_unsound(earlier_root, root, *proof)
    if not 0 <= earlier <= size <= LARGEST:
        raise ProofInvalid(f"a tree of {size} leaves does not begin with one of {earlier}")
    if earlier in {0, size}:
        if proof or earlier_root != (root if earlier else EMPTY_ROOT):
            raise ProofInvalid("two roots for one size, or a proof where none is needed")
        return
    whole = earlier & (earlier - 1) == 0  # the earlier tree is a subtree of the later one, and needs no hash of its own
    path = [earlier_root, *proof] if whole else proof
    if not path:
        raise ProofInvalid("the proof is too short")
    level = (~(earlier - 1) & earlier).bit_length() - 1
    before = after = path[0]
    for other, is_left in climbed((earlier - 1) >> level, (size - 1) >> level, path[1:]):
        if is_left:
            before = node_hash(other, before)
        after = node_hash(other, after) if is_left else node_hash(after, other)
    if before != earlier_root or after != root:
        raise ProofInvalid("the later tree does not begin with the earlier one")


def climbed(index: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The hashes of a proof from the bottom, and whether each stands left of what was climbed to so far."""
    for other in proof:
        if not last:
            raise ProofInvalid("the proof is too long")
        is_left = bool(index & 1) or index == last
        if is_left:
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        yield other, is_left
        index, last = index >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")


def refuse_unsound(*hashes: bytes) -> None:
    """Every hash has 32 bytes."""
    for one in hashes:
        if len(one) != HASH_BYTES:
            raise ProofInvalid(f"a hash of {len(one)} bytes")
