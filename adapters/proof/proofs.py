"""Proofs as files: that an event is in the tree (C2SP's tlog-proof), and that a later tree begins with an earlier one.

The second has the form in which C2SP's witnesses are asked to cosign a checkpoint. Each carries the checkpoint that it
leads to, so that whoever has the log's key needs nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import MOST_BYTES, decoded
from projections.audit.merkle import (
    HASH_BYTES,
    Node,
    ProofInvalid,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)

MEDIA_TYPE = "text/plain; charset=utf-8"
HEAD = "c2sp.org/tlog-proof@v1"
EXTRA, INDEX, OLD = "extra ", "index ", "old "
MOST_HASHES = 63
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class InclusionProof:
    """The way from a leaf to the root of a checkpoint; with the bytes of the leaf, where the reader may have them."""

    leaf_index: int
    hashes: tuple[bytes, ...]
    note: str
    leaf: bytes | None

    @classmethod
    def of(cls, node: Node, index: int, size: int, note: str, leaf: bytes | None) -> Self:
        return cls(index, tuple(inclusion_proof(node, index, size)), note, leaf)

    def text(self) -> str:
        extra = [] if self.leaf is None else [f"{EXTRA}{b64encode(self.leaf).decode()}"]
        return written([HEAD, *extra, f"{INDEX}{self.leaf_index}"], self.hashes, self.note)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `text` writes, and nothing else; proves nothing. Raises ProofInvalid."""
        (head, *lines), note = parts_of(text)
        if head != HEAD:
            raise ProofInvalid(f"the first line of a proof is {HEAD}")
        leaf = None
        if lines and lines[0].startswith(EXTRA):
            leaf = bytes_of(lines.pop(0).removeprefix(EXTRA))
        if not lines:
            raise ProofInvalid("the proof has no index")
        return cls(number_of(lines[0], INDEX), hashes_of(lines[1:]), note, leaf)

    def check(self, checkpoint: Checkpoint, leaf: bytes) -> None:
        """Raises ProofInvalid unless these bytes are the leaf; that the checkpoint is the log's is asked elsewhere."""
        check_inclusion(leaf_hash(leaf), self.leaf_index, checkpoint.size, self.hashes, checkpoint.root)


@dataclass(frozen=True)
class ConsistencyProof:
    """What shows that the tree of a checkpoint begins with the one of `earlier` leaves."""

    earlier: int
    hashes: tuple[bytes, ...]
    note: str

    @classmethod
    def of(cls, node: Node, earlier: int, size: int, note: str) -> Self:
        return cls(earlier, tuple(consistency_proof(node, earlier, size)), note)

    def text(self) -> str:
        return written([f"{OLD}{self.earlier}"], self.hashes, self.note)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `text` writes, and nothing else; proves nothing. Raises ProofInvalid."""
        (head, *lines), note = parts_of(text)
        return cls(number_of(head, OLD), hashes_of(lines), note)

    def check(self, earlier: Checkpoint, later: Checkpoint) -> None:
        """Raises ProofInvalid unless the later tree begins with the earlier one."""
        if self.earlier != earlier.size:
            raise ProofInvalid(
                f"the proof begins at size {self.earlier}, and the earlier checkpoint is of {earlier.size}"
            )
        check_consistency(earlier.size, later.size, self.hashes, earlier.root, later.root)


def written(head: Sequence[str], hashes: Iterable[bytes], note: str) -> str:
    return "\n".join([*head, *(b64encode(one).decode() for one in hashes), "", note])


def parts_of(text: str) -> tuple[list[str], str]:
    """The lines before the first empty one, at least one, and the note behind it."""
    if len(text) > 2 * MOST_BYTES:
        raise ProofInvalid("the proof is too long")
    lines, found, note = text.partition("\n\n")
    if not found:
        raise ProofInvalid("a proof is some lines, an empty one, and a checkpoint")
    return lines.split("\n"), note


def number_of(line: str, name: str) -> int:
    digits = line.removeprefix(name)
    if not line.startswith(name) or not NUMBER.fullmatch(digits):
        raise ProofInvalid(f"a line of the proof looks like {name}123")
    return int(digits)


def hashes_of(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise ProofInvalid("the proof is too long")
    hashes = tuple(bytes_of(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid("a hash of a proof has 32 bytes")
    return hashes


def bytes_of(text: str) -> bytes:
    found = decoded(text)
    if found is None:
        raise ProofInvalid("a line of the proof is not base64 in its one canonical form")
    return found
