"""Tiles: how the tree is stored, in rows of up to 256 hashes, and whether each row follows from those below it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from projections.audit.merkle import HASH_BYTES, Frontier
from projections.audit.sealed import Leaf
from projections.audit.verify import Difference

FULL = 256  # hashes


class Tile(NamedTuple):
    """A row of a level: hashes of whole subtrees of 256**level leaves, and of leaves the positions of their events."""

    level: int
    number: int
    hashes: bytes
    positions: Sequence[int | None] | None  # none within: whoever owns the database put that in

    def split(self) -> list[bytes]:
        return [self.hashes[start : start + HASH_BYTES] for start in range(0, len(self.hashes), HASH_BYTES)]


class TileCheck:
    """Reads all tiles by level and number: hands out the leaves, and then `differences` tells what is wrong."""

    def __init__(self, tiles: Iterable[Tile]) -> None:
        self._tiles = iter(tiles)
        self._wrong: list[Difference] = []
        self._above = bytearray()  # what the next level must have
        self._next: Tile | None = None

    def leaves(self) -> Iterator[Leaf]:
        """The leaves in their order, up to a tile that is missing."""
        for tile in self._level(0):
            positions = [position for position in tile.positions or () if isinstance(position, int)]
            if len(positions) != len(tile.hashes) // HASH_BYTES:
                self._wrong.append(differs(tile, "has not as many positions as hashes"))
            yield from map(Leaf, positions, tile.split())

    def differences(self) -> Iterator[Difference]:
        """To be asked when all leaves were taken."""
        while self._next:
            level, expected = self._next.level, bytes(self._above)
            self._above = bytearray()
            found = b"".join(tile.hashes for tile in self._level(level))
            if found == expected:
                continue
            first = next((at for at, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
            if first is None:
                what = f"it has {len(found) // HASH_BYTES} subtrees, and below it are {len(expected) // HASH_BYTES}"
            else:
                what = f"subtree {first // HASH_BYTES} does not follow from the level below"
            self._wrong.append(Difference(check="tree", key=f"tiles of level {level}", what=what))
        if self._above:
            self._wrong.append(Difference(check="tree", key="tiles", what="an upper level of the tree is missing"))
        yield from self._wrong

    def _level(self, level: int) -> Iterator[Tile]:
        """The tiles of one level that follow one another, each but the last of 256 hashes."""
        number, full = 0, True
        tile = self._next or next(self._tiles, None)
        while tile and tile.level == level:
            if tile.number != number or not full:
                self._wrong.append(differs(tile, "does not follow the one before it"))
            hashes = tile.split()
            number, full = tile.number + 1, len(hashes) == FULL
            if full:
                self._above += root_above(hashes)
            yield tile
            tile = next(self._tiles, None)
        self._next = tile


def root_above(hashes: Iterable[bytes]) -> bytes:
    frontier = Frontier()
    for one in hashes:
        frontier.append(one)
    return frontier.root()


def differs(tile: Tile, what: str) -> Difference:
    return Difference(check="tree", key=f"tile {tile.number} of level {tile.level}", what=what)
