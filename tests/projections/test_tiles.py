"""How the tree is stored: each tile follows from those below it, or is named."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.audit.sealed import Leaf
from projections.audit.tiles import Tile, TileCheck
from tests.projections.sealed_history import tiles_of

LEAVES = [Leaf(number * 2 + 1, sha256(b"%d" % number).digest()) for number in range(3 * 256 + 5)]
TILES = tiles_of(LEAVES)
WRONG = sha256(b"wrong").digest()


def checked(tiles: list[Tile]) -> tuple[list[Leaf], list[str]]:
    check = TileCheck(tiles)
    return list(check.leaves()), [f"{found.key}: {found.what}" for found in check.differences()]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, len(LEAVES)])
def test_tiles_that_were_not_changed_give_the_leaves(size: int) -> None:
    assert checked(tiles_of(LEAVES[:size])) == (LEAVES[:size], [])


def test_a_third_level_stands_on_256_tiles() -> None:
    many = [Leaf(number + 1, sha256(b"%d" % number).digest()) for number in range(256 * 256 + 1)]
    tiles = tiles_of(many)
    assert [tile.level for tile in tiles[257:]] == [1, 2]
    assert checked(tiles)[1] == []
    assert checked([*tiles[:-1], tiles[-1]._replace(hashes=WRONG)])[1] == [
        "tiles of level 2: subtree 0 does not follow from the level below"
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tiles: tiles[1:], "tile 1 of level 0: does not follow the one before it"),
        (lambda tiles: [tiles[0], *tiles[2:]], "tile 2 of level 0: does not follow the one before it"),
        (
            lambda tiles: [tiles[0]._replace(hashes=tiles[0].hashes[:-32]), *tiles[1:]],
            "tile 0 of level 0: has not as many positions as hashes",
        ),
        (
            lambda tiles: [tiles[0]._replace(positions=[None, *tiles[0].positions[1:]]), *tiles[1:]],
            "tile 0 of level 0: has not as many positions as hashes",
        ),
        (lambda tiles: tiles[:-1], "tiles: an upper level of the tree is missing"),
        (
            lambda tiles: [*tiles[:-1], tiles[-1]._replace(hashes=tiles[-1].hashes[:-32])],
            "tiles of level 1: it has 2 subtrees, and below it are 3",
        ),
        (
            lambda tiles: [*tiles[:-1], tiles[-1]._replace(hashes=tiles[-1].hashes[:-32] + WRONG)],
            "tiles of level 1: subtree 2 does not follow from the level below",
        ),
        (
            lambda tiles: [tiles[0]._replace(hashes=WRONG + tiles[0].hashes[32:]), *tiles[1:]],
            "tiles of level 1: subtree 0 does not follow from the level below",
        ),
        (lambda tiles: tiles[-1:], "tiles of level 1: it has 3 subtrees, and below it are 0"),
    ],
)
def test_a_changed_tile_is_named(change: Callable[[list[Tile]], list[Tile]], said: str) -> None:
    assert said in checked(change(TILES))[1]


@given(st.integers(0, len(TILES) - 1), st.data())
def test_any_flipped_bit_is_seen_in_the_leaves_or_above_them(at: int, chosen: st.DataObject) -> None:
    place = chosen.draw(st.integers(0, len(TILES[at].hashes) - 1))
    flipped = bytearray(TILES[at].hashes)
    flipped[place] ^= 1 << chosen.draw(st.integers(0, 7))
    leaves, found = checked([*TILES[:at], TILES[at]._replace(hashes=bytes(flipped)), *TILES[at + 1 :]])
    assert found or leaves != LEAVES
