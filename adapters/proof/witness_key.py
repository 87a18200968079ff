"""The secret half of a witness's key as a file, in the form in which Go's note package writes signers."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from pathlib import Path

from adapters.proof.notes import COSIGNATURE, SEED_BYTES, NoteInvalid, SigningKey, decoded

SECRET = re.compile(r"PRIVATE\+KEY\+([^+\n]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?", re.ASCII)
LONGEST = 4096
OTHERS = 0o077


def made_key(name: str) -> str:
    """A new key, as its file has it; raises NoteInvalid for a name that a key cannot have."""
    if not name.isascii():
        raise NoteInvalid("a witness's name has ASCII characters alone, so that every verifier reads it")
    return written(SigningKey.from_seed(name, secrets.token_bytes(SEED_BYTES)))


def written(key: SigningKey) -> str:
    encoded = b64encode(bytes([COSIGNATURE]) + key.private.private_bytes_raw()).decode()
    return f"PRIVATE+KEY+{key.name}+{key.verifying(COSIGNATURE).key_id.hex()}+{encoded}\n"


def key_in(text: str) -> SigningKey:
    """Reads what `written` writes; raises NoteInvalid, which repeats nothing of it."""
    found = SECRET.fullmatch(text)
    kind, *seed = (decoded(found[3]) if found else None) or [0]
    if not found or kind != COSIGNATURE or len(seed) != SEED_BYTES:
        raise NoteInvalid("it is no key of a witness: make one with `seatledger audit witness-key`")
    key = SigningKey.from_seed(found[1], bytes(seed))
    if key.verifying(COSIGNATURE).key_id.hex() != found[2]:
        raise NoteInvalid("the key is not the one that its id names: the file was changed")
    return key


def read_key(path: Path) -> SigningKey:
    """The key in a file that nobody else may read; raises NoteInvalid."""
    if path.stat().st_mode & OTHERS:
        raise NoteInvalid(f"others may read {path}: `chmod 600` it, or make another key")
    with path.open("rb") as file:
        content = file.read(LONGEST)
    try:
        return key_in(content.decode("ascii"))
    except UnicodeDecodeError:
        raise NoteInvalid(f"{path} is no key of a witness") from None
