"""The tree of RFC 6962 as its text says it, written down anew, and proofs that prove nothing else."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.audit.merkle import (
    EMPTY_ROOT,
    LARGEST,
    Frontier,
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    subtrees,
)

# The leaves of Certificate Transparency's own tests, and the roots of the trees of the first 1, 2, … of them.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 70)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


def root_as_written(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + root_as_written(hashes[:k]) + root_as_written(hashes[k:])).digest()


def path_as_written(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*path_as_written(m, hashes[:k]), root_as_written(hashes[k:])]
    return [*path_as_written(m - k, hashes[k:]), root_as_written(hashes[:k])]


def consistency_as_written(m: int, hashes: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    if m == len(hashes):
        return [] if known else [root_as_written(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m <= k:
        return [*consistency_as_written(m, hashes[:k], known=known), root_as_written(hashes[k:])]
    return [*consistency_as_written(m - k, hashes[k:], known=False), root_as_written(hashes[:k])]


def nodes_of(hashes: Sequence[bytes]) -> Callable[[int, int], bytes]:
    def node(level: int, number: int) -> bytes:
        subtree = hashes[number << level : (number + 1) << level]
        assert len(subtree) == 1 << level, "a proof asks for whole subtrees alone"
        return root_as_written(subtree)

    return node


def grown(hashes: Sequence[bytes]) -> Frontier:
    frontier = Frontier()
    for one in hashes:
        frontier.append(one)
    return frontier


def test_the_published_roots() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == sha256().digest()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        frontier.append(leaf_hash(leaf))
        assert frontier.root().hex() == root


@given(SIZES)
def test_a_tree_that_grows_has_the_root_that_the_standard_writes_down(size: int) -> None:
    hashes = leaves_of(size)
    assert grown(hashes).root() == root_as_written(hashes) == root_of(nodes_of(hashes), 0, size)


@given(SIZES, st.data())
def test_whole_subtrees_may_stand_for_their_leaves(size: int, chosen: st.DataObject) -> None:
    hashes = leaves_of(size)
    start = chosen.draw(st.integers(0, size))
    end = chosen.draw(st.integers(start, size))
    frontier = grown(hashes[:start])
    for level, number in subtrees(start, end):
        frontier.append(nodes_of(hashes)(level, number), level)
    for one in hashes[end:]:
        frontier.append(one)
    assert (frontier.size, frontier.root()) == (size, root_as_written(hashes))


@given(SIZES, st.data())
def test_proofs_of_inclusion_are_those_of_the_standard_and_hold(size: int, chosen: st.DataObject) -> None:
    hashes, index = leaves_of(size), chosen.draw(st.integers(0, size - 1))
    proof = inclusion_proof(nodes_of(hashes), index, size)
    assert proof == path_as_written(index, hashes)
    check_inclusion(hashes[index], index, size, proof, root_as_written(hashes))


@given(SIZES, st.data())
def test_proofs_of_consistency_are_those_of_the_standard_and_hold(size: int, chosen: st.DataObject) -> None:
    hashes, earlier = leaves_of(size), chosen.draw(st.integers(1, size))
    proof = consistency_proof(nodes_of(hashes), earlier, size)
    assert proof == consistency_as_written(earlier, hashes)
    check_consistency(earlier, size, proof, root_as_written(hashes[:earlier]), root_as_written(hashes))


@settings(max_examples=100)
@given(SIZES, st.data())
def test_a_proof_of_inclusion_proves_no_other_leaf_place_size_or_root(size: int, chosen: st.DataObject) -> None:
    hashes, index = leaves_of(size), chosen.draw(st.integers(0, size - 1))
    proof, root = path_as_written(index, hashes), root_as_written(hashes)
    other = chosen.draw(st.integers(0, 2 * size).filter(lambda number: number != index))
    forged = [
        (leaf_hash(b"another"), index, size, proof, root),
        (hashes[index], other, size, proof, root),
        (hashes[index], index, size, proof, leaf_hash(b"another")),
        (hashes[index], index, size, [*proof, root], root),
        (hashes[index], index, size, proof[:-1], root) if proof else (root, 1, 1, [], root),
        (hashes[index], index, size, proof[::-1], root) if proof != proof[::-1] else (root, -1, 1, [], root),
        (hashes[index], index, LARGEST + 1, proof, root),
        (hashes[index][:-1], index, size, proof, root),
    ]
    for one in forged:
        with pytest.raises(ProofInvalid):
            check_inclusion(*one)


@settings(max_examples=100)
@given(st.integers(2, 70), st.data())
def test_a_proof_of_consistency_proves_no_other_trees(size: int, chosen: st.DataObject) -> None:
    hashes, earlier = leaves_of(size), chosen.draw(st.integers(1, size - 1))
    proof, root = consistency_as_written(earlier, hashes), root_as_written(hashes)
    before = root_as_written(hashes[:earlier])
    changed = chosen.draw(st.integers(0, earlier - 1))
    rewritten = [*hashes[:changed], leaf_hash(b"another"), *hashes[changed + 1 :]]
    forged = [
        (earlier, size, proof, root_as_written(rewritten[:earlier]), root),
        (earlier, size, proof, before, root_as_written(rewritten)),
        (earlier, size, consistency_as_written(earlier, rewritten), before, root_as_written(rewritten)),
        (earlier, size, proof[:-1], before, root),
        (earlier, size, [*proof, root], before, root),
        (size, earlier, proof, root, before),
        (earlier, earlier, proof, before, before),
        (0, size, proof, EMPTY_ROOT, root),
        (earlier, LARGEST + 1, proof, before, root),
    ]
    for one in forged:
        with pytest.raises(ProofInvalid):
            check_consistency(*one)


def test_every_tree_begins_with_the_empty_one_and_with_itself_alone() -> None:
    hashes = leaves_of(5)
    root = root_as_written(hashes)
    assert consistency_proof(nodes_of(hashes), 0, 5) == consistency_proof(nodes_of(hashes), 5, 5) == []
    check_consistency(0, 5, [], EMPTY_ROOT, root)
    check_consistency(5, 5, [], root, root)
    for earlier, before in ((0, root), (5, EMPTY_ROOT)):
        with pytest.raises(ProofInvalid, match="two roots"):
            check_consistency(earlier, 5, [], before, root)


def test_what_a_tree_does_not_have_is_not_proved() -> None:
    hashes = leaves_of(3)
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ProofInvalid):
            inclusion_proof(nodes_of(hashes), index, size)
    for earlier in (-1, 4):
        with pytest.raises(ProofInvalid):
            consistency_proof(nodes_of(hashes), earlier, 3)
    with pytest.raises(ProofInvalid, match="begins at leaf 3"):
        grown(hashes).append(node_hash(*hashes[:2]), 1)
