"""A checkpoint as C2SP specifies it: which log, how many leaves, and the root of the tree above them."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple, Self

from adapters.proof.notes import NoteInvalid, decoded
from projections.audit.merkle import EMPTY_ROOT, HASH_BYTES, LARGEST

TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/=]+)\n", re.ASCII)


class Checkpoint(NamedTuple):
    """The tree of a log at a size."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `text` writes, and nothing else; raises NoteInvalid."""
        found = TEXT.fullmatch(text)
        if not found:
            raise NoteInvalid("a checkpoint has three lines: its origin, its size, and its root in base64")
        origin, size, encoded = found[1], int(found[2]), found[3]
        root = decoded(encoded)
        if root is None or len(root) != HASH_BYTES:
            raise NoteInvalid("the root of a checkpoint is 32 bytes in base64")
        if size > LARGEST or (size == 0) != (root == EMPTY_ROOT):
            raise NoteInvalid(f"no tree has {size} leaves and this root")
        return cls(origin, size, root)


def origin_of(source: str) -> str:
    """How the log of a source, as messages name it, is called."""
    return source.removeprefix("/")
