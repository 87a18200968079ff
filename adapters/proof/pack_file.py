"""Writes an audit pack: a zip whose members are stored as they are, each told in 64 bits, so that any tool opens it.

`verify_pack` reads it in its own words and refuses anything else; docs/auditors.md describes the format.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal, NamedTuple, TypeAlias
from uuid import UUID
from zlib import crc32

from projections.audit.merkle import HASH_BYTES

FORMAT = "seatledger-pack/1"
README = b"""This is an audit pack of a seatledger ledger: events in their exact bytes, hashes of what is left out,
and the signed checkpoints of the tree over both. Believe nothing in it: check it on a computer of your own with the
verifier, which comes with the product and which `seatledger audit verifier` prints:

    python verify_pack.py PACK --key VKEY --checkpoint THE-ONE-YOU-KEPT

VKEY is the ledger's key, from somebody you trust. The one in keys.txt came with this file and proves nothing by itself.
Keep the member `checkpoint` for the next time. The manual is docs/auditors.md.
"""

LOCAL = struct.Struct("<4sHHHHHIIIHH")
LISTED = struct.Struct("<4sHHHHHHIIIHHHHHII")
LONG_END = struct.Struct("<4sQHHIIQQQQ")
LONG_END_PLACE = struct.Struct("<4sIQI")
END = struct.Struct("<4sHHHHIIH")
LONG_SIZES, LONG_PLACE = struct.Struct("<HHQQ"), struct.Struct("<HHQQQ")
VERSION, MADE_ON_UNIX = 45, 3 << 8 | 45  # the first that knows 64 bits
FIRST_DAY = 1 << 5 | 1  # 1 January 1980: a file's time tells nothing, and the same history gives the same bytes
MODE = 0o100644 << 16
SHORT, LONG = 0xFFFF, 0xFFFFFFFF  # "too large for here": it stands in the other place

EVENT, SUBTREE = b"\0", b"\1"

What: TypeAlias = Literal["all", "range", "organization"]


class Manifest(NamedTuple):
    """What a pack claims to hold of the tree of `size` leaves: the leaves from `start` to the one before `end`.

    An organization's names all leaves, of which it shows its own.
    """

    origin: str
    size: int
    what: What
    start: int
    end: int
    organization_id: UUID | None
    made_at: str
    product: str

    def content(self) -> bytes:
        """In its one form, by which a repeated or a hidden key shows."""
        told = {**self._asdict(), "format": FORMAT}
        told["organization_id"] = self.organization_id.hex if self.organization_id else ""
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class Member(NamedTuple):
    """A member as the directory lists it."""

    name: bytes
    checksum: int
    size: int
    offset: int

    def header(self) -> bytes:
        sizes = LONG_SIZES.pack(1, LONG_SIZES.size - 4, self.size, self.size)
        head = (VERSION, 0, 0, 0, FIRST_DAY, self.checksum, LONG, LONG, len(self.name), len(sizes))
        return LOCAL.pack(b"PK\x03\x04", *head) + self.name + sizes

    def listed(self) -> bytes:
        place = LONG_PLACE.pack(1, LONG_PLACE.size - 4, self.size, self.size, self.offset)
        head = (MADE_ON_UNIX, VERSION, 0, 0, 0, FIRST_DAY, self.checksum, LONG, LONG, len(self.name), len(place))
        return LISTED.pack(b"PK\x01\x02", *head, 0, 0, 0, MODE, LONG) + self.name + place


class PackFile:
    """Writes member after member into a file that can be sought in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._members, self._offset = file, list[Member](), 0

    def add(self, name: str, content: bytes) -> None:
        """A member that is there as a whole."""
        member = Member(name.encode(), crc32(content), len(content), self._offset)
        self._members.append(member)
        self._offset += self._file.write(member.header() + content)

    @contextmanager
    def streamed(self, name: str) -> Iterator[Streamed]:
        """A member that comes in parts; its header is written again when they are known."""
        begun = Member(name.encode(), 0, 0, self._offset)
        streamed = Streamed(self._file)
        self._file.write(begun.header())
        yield streamed
        member = begun._replace(checksum=streamed.checksum, size=streamed.size)
        self._file.seek(self._offset)
        self._offset += self._file.write(member.header()) + streamed.size
        self._file.seek(self._offset)
        self._members.append(member)

    def end(self) -> None:
        """The directory, and where it stands."""
        directory = b"".join(member.listed() for member in self._members)
        count, start, length = len(self._members), self._offset, len(directory)
        long_end = (LONG_END.size - 12, MADE_ON_UNIX, VERSION, 0, 0, count, count, length, start)
        self._file.write(directory + LONG_END.pack(b"PK\x06\x06", *long_end))
        self._file.write(LONG_END_PLACE.pack(b"PK\x06\x07", 0, start + length, 1))
        self._file.write(END.pack(b"PK\x05\x06", 0, 0, SHORT, SHORT, LONG, LONG, 0))


class Streamed:
    """The parts of a member, as they are written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.checksum, self.size = file, 0, 0

    def write(self, parts: Iterable[bytes]) -> None:
        content = b"".join(parts)
        self.checksum = crc32(content, self.checksum)
        self.size += self._file.write(content)


def event_item(leaf: bytes) -> bytes:
    """An event among the entries: the bytes of its leaf."""
    return EVENT + len(leaf).to_bytes(4, "big") + leaf


def subtree_item(level: int, root: bytes) -> bytes:
    """A whole subtree of 2**level leaves that is left out: its hash."""
    if len(root) != HASH_BYTES:
        raise ValueError(f"a hash of {len(root)} bytes")
    return SUBTREE + bytes([level]) + root
