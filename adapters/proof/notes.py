"""Signed notes as C2SP specifies them: a text, an empty line, and a line for each signature.

A log signs with a key of kind Ed25519; a witness, or a log that says when, cosigns with a time. Whoever opens a note
brings the keys that they trust: signatures by others are passed over, and one that is wrong makes the note invalid.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple, Self, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Kind: TypeAlias = Literal[0x01, 0x04]
ED25519: Kind = 0x01
COSIGNATURE: Kind = 0x04

LATEST = 253_402_300_799  # the end of the year 9999, in seconds since 1970
MOST_BYTES, MOST_SIGNATURES = 1_000_000, 100
PUBLIC_BYTES = SEED_BYTES = 32
ID_BYTES, TIME_BYTES = 4, 8

NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+(.+)")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
DASH = "\u2014 "


class NoteInvalid(ValueError):
    """Says why a note, or a key for it, is not what it should be."""


class Signed(NamedTuple):
    """A signature that was checked; `at` is the time of a cosignature, in seconds since 1970."""

    name: str
    kind: Kind
    at: int | None


class Opened(NamedTuple):
    """A note of which at least one signature is by a known key, and none by a known key is wrong."""

    text: str
    signed: tuple[Signed, ...]


@dataclass(frozen=True)
class VerifyingKey:
    """The public half of a key, as auditors keep it."""

    name: str
    kind: Kind
    public: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or not self.name.isprintable():
            raise NoteInvalid("a key's name has neither spaces nor a plus sign")
        if len(self.public) != PUBLIC_BYTES:
            raise NoteInvalid(f"a key of {len(self.public)} bytes; it has {PUBLIC_BYTES}")

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        """As C2SP writes it: name, id and key, with a plus sign between."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` writes, and nothing else; raises NoteInvalid."""
        found = KEY.fullmatch(text)
        if not found:
            raise NoteInvalid("a key looks like name+0123abcd+base64")
        name, key_id, encoded = found.groups()
        kind, *public = decoded(encoded) or [0]
        if kind == ED25519:
            key = cls(name, ED25519, bytes(public))
        elif kind == COSIGNATURE:
            key = cls(name, COSIGNATURE, bytes(public))
        else:
            raise NoteInvalid(f"keys of kind {kind} are not known here")
        if key.key_id.hex() != key_id:
            raise NoteInvalid(f"the key has id {key.key_id.hex()}, not {key_id}")
        return key

    def check(self, text: str, signature: bytes) -> Signed:
        """Raises NoteInvalid unless the signature, without its key id, is this key's of this text."""
        at, message = None, text.encode()
        if self.kind == COSIGNATURE:
            at, signature = int.from_bytes(signature[:TIME_BYTES], "big"), signature[TIME_BYTES:]
            message = cosigned(text, at)
            if at > LATEST:
                raise NoteInvalid(f"{self.name} cosigned it at a time that no calendar has")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NoteInvalid(f"the signature of {self.name} is not that of this text") from None
        return Signed(self.name, self.kind, at)


@dataclass(frozen=True)
class SigningKey:
    """A key with its name; signs as a log, and cosigns with a time."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        if len(seed) != SEED_BYTES:
            raise NoteInvalid(f"a seed of {len(seed)} bytes; it has {SEED_BYTES}")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def verifying(self, kind: Kind = ED25519) -> VerifyingKey:
        return VerifyingKey(self.name, kind, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The line of a signature."""
        return line(self.verifying(), self.private.sign(text.encode()))

    def cosign(self, text: str, at: int) -> str:
        """The line of a cosignature at a time, in seconds since 1970."""
        signature = self.private.sign(cosigned(text, at))
        return line(self.verifying(COSIGNATURE), at.to_bytes(TIME_BYTES, "big") + signature)


def cosigned(text: str, at: int) -> bytes:
    """What a cosignature signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def line(key: VerifyingKey, signature: bytes) -> str:
    return f"{DASH}{key.name} {b64encode(key.key_id + signature).decode()}\n"


def note_of(text: str, *lines: str) -> str:
    """A note with these lines of signatures, to which more may be added behind; raises NoteInvalid for no fit text."""
    refuse_text(text)
    return "\n".join((text, "".join(lines)))


def open_note(note: str, keys: Collection[VerifyingKey]) -> Opened:
    """The text and who signed it; raises NoteInvalid unless a key signed it, and for any malformed or wrong line."""
    text, lines = split(note)
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(keys):
        raise NoteInvalid("one key is given twice")
    seen: set[tuple[str, bytes]] = set()
    signed: list[Signed] = []
    for name, key_id, signature in lines:
        if (name, key_id) in seen:
            raise NoteInvalid(f"{name} signs it twice with one key")
        seen.add((name, key_id))
        if key := known.get((name, key_id)):
            signed.append(key.check(text, signature))
    if not signed:
        raise NoteInvalid("no key that is trusted here has signed it")
    return Opened(text, tuple(signed))


def split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text, and of each line its name, key id and signature; proves nothing. Raises NoteInvalid."""
    if len(note) > MOST_BYTES:
        raise NoteInvalid("the note is too long")
    text, found, rest = note.rpartition("\n\n")
    if not found or not rest.endswith("\n"):
        raise NoteInvalid("a note is a text, an empty line, and lines of signatures")
    text += "\n"
    refuse_text(text)
    lines = rest[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteInvalid("the note has too many signatures")
    return text, [parsed(one) for one in lines]


def parsed(one: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature of a line."""
    name, found, encoded = one.removeprefix(DASH).partition(" ")
    blob = decoded(encoded)
    if not one.startswith(DASH) or not found or not NAME.fullmatch(name) or not blob or len(blob) <= ID_BYTES:
        raise NoteInvalid("a line of a signature looks like \u2014 name base64")
    return name, blob[:ID_BYTES], blob[ID_BYTES:]


def refuse_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteInvalid("the text is not UTF-8") from None
    if not text.endswith("\n") or CONTROL.search(text):
        raise NoteInvalid("the text of a note ends its lines with a line feed, and has no other control characters")


def decoded(encoded: str) -> bytes | None:
    """The bytes of base64 in its one canonical form; None for anything else."""
    try:
        found = b64decode(encoded.encode("ascii"), validate=True)
    except ValueError:
        return None
    return found if b64encode(found).decode() == encoded else None
