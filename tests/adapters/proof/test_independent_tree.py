"""The tree against a library that others wrote, in a process of its own: `make .venv/oracle.stamp` installs it."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

from projections.audit.merkle import Frontier, inclusion_proof, leaf_hash

ORACLE = Path(__file__).parents[3] / ".venv" / "oracle" / "bin" / "python"
PROGRAM = """
import json, sys
from pymerkle import InmemoryTree
asked, tree = json.load(sys.stdin), InmemoryTree(algorithm="sha256")
for leaf in asked["leaves"]:
    tree.append_entry(leaf.encode())
size = len(asked["leaves"])
hexes = lambda path: [one.hex() if isinstance(one, bytes) else one for one in path]
json.dump({
    "roots": [tree.get_root(n).hex() for n in range(1, size + 1)],
    "inclusion": [hexes(tree.prove_inclusion(index + 1, n).path) for index, n in asked["inclusion"]],
}, sys.stdout)
"""
SIZE, PROOFS = 700, 300


def test_an_independent_library_gives_the_same_roots_and_proofs() -> None:
    chance = random.Random(3)  # noqa: S311 - not a secret
    leaves = [f"leaf {number}" for number in range(SIZE)]
    sizes = [chance.randrange(2, SIZE + 1) for _ in range(PROOFS)]
    inclusion = [(chance.randrange(size), size) for size in sizes]
    asked = json.dumps({"leaves": leaves, "inclusion": inclusion})
    answer = subprocess.run([ORACLE, "-c", PROGRAM], input=asked, capture_output=True, text=True, check=True)
    theirs = json.loads(answer.stdout)
    hashes = [leaf_hash(leaf.encode()) for leaf in leaves]
    frontier, roots = Frontier(), []
    for one in hashes:
        frontier.append(one)
        roots.append(frontier.root().hex())

    def node(level: int, number: int) -> bytes:
        whole = Frontier()
        for one in hashes[number << level : (number + 1) << level]:
            whole.append(one)
        return whole.root()

    assert roots == theirs["roots"]
    # Theirs begin with the leaf itself. Its proofs of consistency have another form than the standard's.
    for place, path in zip(inclusion, theirs["inclusion"], strict=True):
        assert [hashes[place[0]].hex(), *(one.hex() for one in inclusion_proof(node, *place))] == path
