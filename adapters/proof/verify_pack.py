"""Checks an audit pack of seatledger, offline, on any computer; run it as `python verify_pack.py PACK --key VKEY`.

It needs Python 3.11 or newer and the package `cryptography`, and nothing of seatledger: read it before you trust it.
It reads the pack once, from front to end, with a few megabytes of memory, and finds out whether
1. the file is a pack, of which every byte is accounted for;
2. a key that you bring signed its checkpoint: the size and the root of the tree over the whole ledger;
3. the entries, which are events and whole subtrees that were left out, give that size and that root (RFC 6962);
4. every other checkpoint, in the pack or kept by you, is of the same tree when it was smaller;
5. positions rise, and each organization's events are linked to one another without a gap;
6. the entries are what the manifest says: all, a range, or an organization's events from its first one on.
What a pack consists of, byte by byte, is described in docs/auditors.md.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zlib import crc32

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERIFIED, NOT_VERIFIED, USAGE, UNREADABLE, BY_ITS_OWN_KEYS = range(5)
EXIT_CODES = (
    "exit codes: 0 verified; 1 not verified, it says why; 2 bad arguments; 3 a file cannot be read;"
    " 4 without --key: the keys in the pack fit it, which proves nothing against whoever made the pack"
)
FORMAT = "seatledger-pack/1"
CHUNK, LONGEST_LEAF, LONGEST_OTHER = 1 << 20, 1 << 19, 1 << 26  # bytes: of a read, an event, a member but entries


class NotVerified(argparse.ArgumentTypeError):  # which argparse tells of as it is: of a key
    """Says what is not as it should be, and where."""


# 1. The file: a zip (zip64, nothing compressed) of these members in this order, and not a byte between or behind them.

MEMBERS = ("README.txt", "manifest.json", "keys.txt", "checkpoint", "checkpoints", "entries")
ONES = 0xFFFFFFFF  # in place of a size or an offset: it stands in the extra field, in 64 bits


def header(name: bytes, crc: int, size: int) -> bytes:
    fixed = (b"PK\3\4", 45, 0, 0, 0, 33, crc, ONES, ONES, len(name), 20)
    return struct.pack("<4s5H3I2H", *fixed) + name + struct.pack("<2H2Q", 1, 16, size, size)


def listed(name: bytes, crc: int, size: int, offset: int) -> bytes:
    fixed = (b"PK\1\2", 0x32D, 45, 0, 0, 0, 33, crc, ONES, ONES, len(name), 28, 0, 0, 0, 0o100644 << 16, ONES)
    return struct.pack("<4s6H3I5H2I", *fixed) + name + struct.pack("<2H3Q", 1, 24, size, size, offset)


class Pack:
    """Hands out the members of the file, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.offset, self.count, self.directory = file, 0, 0, b""

    def read(self, size: int) -> bytes:
        found = self.file.read(size)
        self.offset += len(found)
        if len(found) < size:
            raise NotVerified(f"the file ends early, at byte {self.offset}")
        return found

    def next_member(self, longest: int = LONGEST_OTHER) -> Iterator[bytes]:
        """The bytes of the next member, in chunks."""
        offset, name = self.offset, MEMBERS[self.count].encode()
        found = self.read(len(header(name, 0, 0)))
        due, left = int.from_bytes(found[14:18], "little"), int.from_bytes(found[-8:], "little")
        if found != header(name, due, left) or left > longest:
            raise NotVerified(f"{name.decode()} does not begin at byte {offset} as in a pack, or is too long")
        self.directory, self.count, crc = self.directory + listed(name, due, left, offset), self.count + 1, 0
        while left:
            chunk = self.read(min(left, CHUNK))
            left, crc = left - len(chunk), crc32(chunk, crc)
            yield chunk
        if crc != due:
            raise NotVerified(f"{name.decode()} is damaged: its checksum differs")

    def whole(self) -> bytes:
        return b"".join(self.next_member())

    def end(self) -> None:
        count, length, start = self.count, len(self.directory), self.offset
        expected = self.directory + struct.pack(
            "<4sQ2H2I4Q4sIQI4s4H2IH",
            *(b"PK\6\6", 44, 0x32D, 45, 0, 0, count, count, length, start, b"PK\6\7", 0, start + length, 1),
            *(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, ONES, ONES, 0),
        )
        if self.read(len(expected)) != expected or self.file.read(1):
            raise NotVerified("the directory at the file's end differs from its members, or something stands behind it")


FIELDS = {"format": str, "origin": str, "size": int, "what": str, "start": int, "end": int, "organization_id": str}
FIELDS |= {"made_at": str, "product": str}  # when and by which version it was made: this, nothing proves


def manifest_in(content: bytes) -> dict[str, Any]:
    """What the pack claims to show: the leaves from `start` to the one before `end`, or an organization's."""
    try:
        told = dict(json.loads(content))
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    except (ValueError, TypeError, RecursionError):
        raise NotVerified("manifest.json cannot be read") from None
    if content != canonical or {key: type(value) for key, value in told.items()} != FIELDS or told["format"] != FORMAT:
        raise NotVerified(f"manifest.json is not one of {FORMAT}; a newer pack needs a newer verifier")
    start, end, size = told["start"], told["end"], told["size"]
    one = "" if told["what"] != "organization" else "[0-9a-f]{32}"
    sound = (start, end) == (0, size) if told["what"] in {"all", "organization"} else told["what"] == "range"
    if not sound or not 0 <= start < end <= size or not re.fullmatch(one, told["organization_id"]):
        raise NotVerified("manifest.json contradicts itself")
    return told


# 2. Checkpoints: signed notes as C2SP specifies them (signed-note, tlog-checkpoint, tlog-cosignature).

LOG, WITNESS = 1, 4  # kinds of keys: of a signature, and of a cosignature with its time
NAME = "[!-*,-~]+"  # no spaces, and no plus sign
KEY = re.compile(f"({NAME})\\+([0-9a-f]{{8}})\\+([A-Za-z0-9+/]+=*)")
TEXT = f"(({NAME})\n([1-9][0-9]{{0,18}})\n([A-Za-z0-9+/]{{43}}=)\n)"
NOTE = re.compile(TEXT + "\n((?:\u2014 [^\\s+]+ [A-Za-z0-9+/]+=*\n){1,100})")


class Key(NamedTuple):
    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def checked(self, text: str, signature: bytes) -> int:
        """The time of a cosignature in seconds since 1970, 0 for a signature; refuses a wrong one."""
        at, message = 0, text.encode()
        if self.kind == WITNESS:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {at}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotVerified(f"a signature by {self.name} is wrong") from None
        return at


def key_of(vkey: str, kind: int = LOG) -> Key:
    found = KEY.fullmatch(vkey)
    blob = from_base64(found[3]) if found else b""
    if not found or len(blob) != 1 + 32 or blob[0] != kind:
        raise NotVerified(f"{vkey[:200]!a} is no such key; one looks like NAME+0123abcd+BASE64")
    key = Key(found[1], kind, blob[1:])
    if key.id.hex() != found[2]:
        raise NotVerified(f"the key of {key.name} has id {key.id.hex()}, not {found[2]}; copy it anew")
    return key


def from_base64(text: str) -> bytes:
    """The bytes; none for what is not the one way to write them."""
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        return b""
    return found if b64encode(found).decode() == text else b""


class Checkpoint(NamedTuple):
    name: str  # as messages call it
    origin: str
    size: int
    root: bytes
    signed: dict[Key, int]  # by whom of those who are known, and when


def checkpoints_in(notes: bytes, keys: Sequence[Key], name: str) -> list[Checkpoint]:
    """The checkpoints of notes that follow one another; refuses one that no key of its log among `keys` signed."""
    checkpoints, at = list[Checkpoint](), 0
    text = notes.decode(errors="surrogateescape")
    while at < len(text):
        found = NOTE.match(text, at)
        if not found or not (root := from_base64(found[4])):
            raise NotVerified(f"{name}: no signed checkpoint at character {at}")
        at, signed = found.end(), dict[Key, int]()
        for _, signer, encoded in (line.split(" ") for line in found[5].split("\n")[:-1]):
            blob = from_base64(encoded)
            for key in keys:
                if (key.name, key.id) == (signer, blob[:4]):
                    if key in signed:
                        raise NotVerified(f"{name}: signed twice by {signer}")
                    signed[key] = key.checked(found[1], blob[4:])
        if not any((key.name, key.kind) == (found[2], LOG) for key in signed):
            raise NotVerified(f"{name}: not signed by a key of {found[2]} that you gave; give all that it had")
        checkpoints.append(Checkpoint(name, found[2], int(found[3]), root, signed))
    return checkpoints


def checkpoint_in(note: bytes, keys: Sequence[Key], name: str) -> Checkpoint:
    if len(found := checkpoints_in(note, keys, name)) != 1:
        raise NotVerified(f"{name}: not one signed checkpoint, but {len(found)}")
    return found[0]


# 3. to 6. Entries, folded into one tree.

LEAF_TAG, LINK_TAG, GENESIS_TAG = b"seatledger.leaf.1", b"seatledger.event.1", b"seatledger.genesis.1"
# A leaf: tag, organization, seq, position, originator, version, recorded_at, chain hash, three lengths; then topic,
# metadata and state. Its chain hash is of LINK_TAG, the hash before it, and the leaf without its tag and that hash.
LEAF = struct.Struct(">17s16sqq32x32sIII")
ITEM, HASH, HIGHEST = struct.Struct(">BI"), 32, 62


def items(chunks: Iterable[bytes]) -> Iterator[tuple[int, memoryview]]:
    """Either 0, u32 length, and that many bytes: a leaf (level -1). Or 1, u8 level, and the hash of 2**level leaves."""
    rest = b""
    for chunk in chunks:
        buffer = memoryview(rest + chunk)
        at, end = 0, len(buffer)
        while end - at >= ITEM.size:
            kind, length = ITEM.unpack_from(buffer, at)
            level, start, stop = -1, at + ITEM.size, at + ITEM.size + length
            if kind == 1:
                level, start, stop = buffer[at + 1], at + 2, at + 2 + HASH
            if kind > 1 or level > HIGHEST or stop - start > LONGEST_LEAF:
                raise NotVerified("entries have an item of unknown kind, or one that is too long")
            if stop > end:
                break
            yield level, buffer[start:stop]
            at = stop
        rest = bytes(buffer[at:])
    if rest:
        raise NotVerified("entries end in the middle of an item")


class Ledger:
    """What the entries are of: the tree so far, and how far each organization's history goes."""

    def __init__(self, manifest: dict[str, Any], signed: Iterable[Checkpoint]) -> None:
        self.what, self.start, self.end = manifest["what"], manifest["start"], manifest["end"]
        self.only = bytes.fromhex(manifest["organization_id"])
        self.due = sorted(signed, key=lambda one: one.size, reverse=True)  # the next one to compare stands last
        self.size = self.agreed = 0  # leaves; the first `agreed` are those that were signed
        self.peaks: list[bytes] = []  # of the largest whole subtrees, from the left: one for each bit of the size
        self.events = self.first = self.position = 0
        self.chains: dict[bytes, tuple[int, bytes]] = {}  # by organization: how many events, and the last hash

    def leaf(self, leaf: memoryview) -> None:
        if len(leaf) < LEAF.size:
            raise NotVerified(f"leaf {self.size} is too short to be an event")
        tag, organization, seq, position, chain, topic, metadata, state = LEAF.unpack_from(leaf)
        if tag != LEAF_TAG or LEAF.size + topic + metadata + state != len(leaf):
            raise self.bad(position, "it has not the form of an event")
        if position <= self.position:
            raise self.bad(position, f"its position does not rise above {self.position}")
        if (self.only and organization != self.only) or not self.start <= self.size < self.end:
            raise self.bad(position, "the manifest says that it is not here")
        before, previous = self.chains.get(organization) or (0, sha256(GENESIS_TAG + organization).digest())
        if before or seq == 1 or self.what != "range":  # what comes in front of a range is not in it
            if seq != before + 1:
                raise self.bad(position, f"it is event {seq} of its organization, and event {before + 1} is missing")
            if sha256(b"".join((LINK_TAG, previous, leaf[17:81], leaf[113:]))).digest() != chain:
                raise self.bad(position, f"event {seq} does not fit its chain hash: it or the one before was changed")
        self.chains[organization] = seq, chain
        self.events, self.first, self.position = self.events + 1, self.first or position, position
        self.append(0, sha256(b"\0" + leaf).digest())

    def bad(self, position: int, why: str) -> NotVerified:
        return NotVerified(f"leaf {self.size}, position {position}: {why}")

    def subtree(self, level: int, root: bytes) -> None:
        start, end = self.size, self.size + (1 << level)
        if not self.only and start < self.end and end > self.start:
            raise NotVerified(f"leaves {start} to {end - 1} are left out, and the manifest says that they are here")
        if start % (1 << level):
            raise NotVerified(f"no whole subtree of {1 << level} leaves begins at leaf {start}")
        self.append(level, root)

    def append(self, level: int, found: bytes) -> None:
        pairs = self.size >> level
        while pairs & 1:
            found, pairs = sha256(b"\1" + self.peaks.pop() + found).digest(), pairs >> 1
        self.peaks.append(found)
        self.size += 1 << level
        while self.due and self.size >= self.due[-1].size:
            self.compare(self.due.pop())

    def compare(self, signed: Checkpoint) -> None:
        if signed.size < self.size:
            remedy = "ask for a pack that is cut there, by export --checkpoint FILE"
            raise NotVerified(f"{signed.name}: leaves on both sides of {signed.size} are left out in one; {remedy}")
        root = self.peaks[-1]
        for left in self.peaks[-2::-1]:
            root = sha256(b"\1" + left + root).digest()
        if root != signed.root:
            where = f"the first difference is among leaves {self.agreed} to {signed.size - 1}"
            raise NotVerified(f"{signed.name}: what was signed is not the tree of these entries; {where}")
        self.agreed = signed.size


class Verified(NamedTuple):
    ledger: Ledger
    checkpoint: Checkpoint
    earlier: int  # checkpoints in the pack
    kept: int  # checkpoints of one's own
    by_own_keys: bool

    def lines(self) -> Iterator[str]:
        found, newest = self.ledger, self.checkpoint
        yield f"{found.events} events in {len(found.chains)} histories, positions {found.first} to {found.position}"
        if found.only:
            yield f"events 1 to {found.chains[found.only][0]} of one; whether there are later ones, a pack of all shows"
        times = {key.name: min(at, 1 << 36) for key, at in newest.signed.items() if key.kind == WITNESS}
        silent = "" if newest.origin in times else "; the log does not say when"
        yield f"in the tree of {newest.size} leaves with root {newest.root.hex()}, signed by {newest.origin}{silent}"
        for name, at in times.items():
            yield f"cosigned by {name} on {datetime.fromtimestamp(at, UTC):%Y-%m-%d at %H:%M:%S} UTC"
        yield f"{self.earlier} earlier checkpoints in the pack and {self.kept} that you kept are of the same tree"
        if self.by_own_keys:
            yield "NOT PROVEN: the keys came with the pack, and who forges a pack puts in keys that fit it."
            yield "Get the ledger's key from somebody you trust, and run this again with --key."
        else:
            yield "VERIFIED"


def verify(
    file: BinaryIO,
    *,
    keys: Sequence[Key] = (),
    witnesses: Sequence[Key] = (),
    require: int | None = None,
    kept: Iterable[tuple[str, bytes]] = (),
    progress: Callable[[int, int], object] = lambda *_: None,
) -> Verified:
    """Raises NotVerified. `kept`: notes with their names; `require`: how many witnesses, unless all."""
    pack = Pack(file)
    _, manifest, its_own = pack.whole(), manifest_in(pack.whole()), pack.whole()
    logs = keys or [key_of(line) for line in its_own.decode(errors="replace").split()]
    itself = {part for key in logs for part in (key.name, key.public)}
    if any(key.name in itself or key.public in itself for key in witnesses):
        raise NotVerified("a witness has the name or the key of the log: nobody is a witness of themselves")
    known = list(dict.fromkeys([*logs, *(Key(key.name, WITNESS, key.public) for key in logs), *witnesses]))
    newest = checkpoint_in(pack.whole(), known, "checkpoint")
    earlier = checkpoints_in(pack.whole(), known, "checkpoints")
    ones_own = [checkpoint_in(note, known, name) for name, note in kept]
    if {(one.origin, newest.size) for one in [newest, *earlier]} != {(manifest["origin"], manifest["size"])}:
        raise NotVerified("the pack's checkpoints are not those of the log that its manifest names")
    for name, size in ((one.name, one.size) for one in [*earlier, *ones_own] if one.size > newest.size):
        raise NotVerified(f"{name}: of {size} leaves, and the pack has {newest.size}: it is older, or was cut off")
    asked = {key.public for key in witnesses}  # one key under two names is one witness
    cosigned, needed = len(asked & {key.public for key in newest.signed}), len(asked) if require is None else require
    if cosigned < needed:
        raise NotVerified(f"cosigned by {cosigned} of the witnesses, and it takes {needed}")
    ledger = Ledger(manifest, [newest, *earlier, *ones_own])
    for level, item in items(pack.next_member(longest=1 << 62)):
        if level < 0:
            ledger.leaf(item)
        else:
            ledger.subtree(level, bytes(item))
        if not ledger.size & 0x1FFFF:
            progress(ledger.size, newest.size)
    if ledger.size != newest.size or not ledger.events:
        raise NotVerified(f"entries have {ledger.size} leaves of {newest.size}, and show {ledger.events}")
    pack.end()
    return Verified(ledger, newest, len(earlier), len(ones_own), not keys)


def main(words: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(description="Checks an audit pack of seatledger, offline.", epilog=EXIT_CODES)
    more: dict[str, Any] = {"action": "append", "default": []}
    asked.add_argument("pack", metavar="PACK", type=Path)
    asked.add_argument("--key", type=key_of, metavar="VKEY", help="a key of the ledger that you trust", **more)
    asked.add_argument("--witness", type=partial(key_of, kind=WITNESS), metavar="VKEY", help="who must cosign", **more)
    asked.add_argument("--require", type=int, metavar="N", help="how many of the witnesses must have; default: all")
    asked.add_argument("--checkpoint", type=Path, metavar="FILE", help="one that you kept from an earlier time", **more)
    given = asked.parse_args(words)
    try:
        kept = [(str(path), path.read_bytes()) for path in given.checkpoint]
        with given.pack.open("rb") as file:
            keys, tell = {"keys": given.key, "witnesses": given.witness, "require": given.require}, sys.stderr.write
            done = verify(file, **keys, kept=kept, progress=lambda at, of: tell(f"{at} of {of} leaves checked\n"))
    except OSError as error:
        sys.stderr.write(f"{error.filename or given.pack} cannot be read: {error.strerror}\n")
        return UNREADABLE
    except NotVerified as error:
        sys.stdout.write(f"NOT VERIFIED: {error}\n")
        return NOT_VERIFIED
    sys.stdout.writelines(f"{line}\n" for line in done.lines())
    return BY_ITS_OWN_KEYS if done.by_own_keys else VERIFIED


if __name__ == "__main__":
    sys.exit(main())
