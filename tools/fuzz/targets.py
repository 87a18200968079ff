"""What auditors read and did not write: each reader gives back what it read, or refuses it by an error of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.export_pack import Asked
from adapters.proof.notes import NoteInvalid, VerifyingKey, note_of, open_note, split
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from adapters.proof.verify_pack import NotVerified
from adapters.proof.witness_key import key_in, written
from projections.audit.leaf import LeafInvalid, event_in, leaf_of
from projections.audit.merkle import ProofInvalid
from tests.adapters.proof import logs, packs
from tests.projections.sealed_history import ORGANIZATIONS


class TakenForAnother(Exception):
    """Says that something was read as what it is not spelled as."""


class Target(NamedTuple):
    """A reader, which gives how what it read is spelled; None: it has many spellings."""

    read: Callable[[bytes], str | bytes | None]
    refusals: tuple[type[Exception], ...]
    examples: Callable[[], Sequence[bytes]]


def note(found: bytes) -> None:
    text = text_of(found)
    body, _ = split(text)
    note_of(body)
    if open_note(text, [logs.LOG_KEY, *logs.WITNESS_KEYS]).text != body:
        raise TakenForAnother(body)


def checkpoint(found: bytes) -> str:
    return Checkpoint.parse(text_of(found)).text()


def inclusion(found: bytes) -> str:
    return InclusionProof.parse(text_of(found)).text()


def consistency(found: bytes) -> str:
    return ConsistencyProof.parse(text_of(found)).text()


def key(found: bytes) -> str:
    return str(VerifyingKey.parse(text_of(found)))


def secret_key(found: bytes) -> str:
    spelled = written(key_in(text_of(found)))
    return spelled if found.endswith(b"\n") else spelled.removesuffix("\n")


def leaf(found: bytes) -> bytes:
    return leaf_of(event_in(found))


def pack(found: bytes) -> None:
    packs.verified(found)


def pack_entries(found: bytes) -> None:
    """The entries of a pack that is otherwise whole."""
    packs.verified(packs.packed({**members(), "entries": found}))


def pack_manifest(found: bytes) -> None:
    packs.verified(packs.packed({**members(), "manifest.json": found}))


@cache
def a_pack() -> bytes:
    return packs.exported(Asked(organization_id=ORGANIZATIONS[0]))[0]


@cache
def members() -> dict[str, bytes]:
    return packs.members_of(a_pack())


def text_of(found: bytes) -> str:
    """As a file is read; what is no UTF-8 is let in too, for a reader must refuse that as well."""
    return found.decode(errors="surrogateescape")


TARGETS: Mapping[str, Target] = {
    "note": Target(note, (NoteInvalid,), lambda: [logs.note(size).encode() for size in logs.SIZES]),
    "checkpoint": Target(
        checkpoint, (NoteInvalid,), lambda: [logs.checkpoint_of(size).text().encode() for size in logs.SIZES]
    ),
    "inclusion": Target(inclusion, (ProofInvalid,), lambda: [logs.inclusion(at).text().encode() for at in (0, 73)]),
    "consistency": Target(
        consistency, (ProofInvalid,), lambda: [logs.consistency(size).text().encode() for size in logs.SIZES]
    ),
    "key": Target(key, (NoteInvalid,), lambda: [str(one).encode() for one in (logs.LOG_KEY, *logs.WITNESS_KEYS)]),
    "secret key": Target(secret_key, (NoteInvalid,), lambda: [written(logs.WITNESS).encode()]),
    "leaf": Target(leaf, (LeafInvalid,), lambda: logs.LEAVES[:9]),
    "pack": Target(pack, (NotVerified,), lambda: [a_pack()]),
    "pack entries": Target(pack_entries, (NotVerified,), lambda: [members()["entries"]]),
    "pack manifest": Target(pack_manifest, (NotVerified,), lambda: [members()["manifest.json"]]),
}


def tried(name: str, found: bytes) -> bool:
    """Whether a reader took it; raises whatever is neither that nor a refusal of its own."""
    target = TARGETS[name]
    try:
        spelled = target.read(found)
    except target.refusals:
        return False
    if spelled not in {None, found, text_of(found)}:
        raise TakenForAnother(f"{name}: {found!r} is read as {spelled!r}")
    return True
