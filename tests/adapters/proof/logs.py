"""A log of a few hundred events with its keys and witnesses, and everything that is signed and proved of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, SigningKey, VerifyingKey, note_of
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from adapters.proof.trust import Trust
from projections.audit.leaf import leaf_of
from projections.audit.merkle import leaf_hash, root_of
from projections.audit.tiles import root_above
from tests.projections.sealed_history import history_of

ORIGIN = "seatledger/0d8f4ac1-5c55-5d6b-9f3c-3c2f1f0f7a11/1"
SIZE = 150
SIZES = (1, 2, 63, 64, 100, 149, SIZE)
SIGNED_AT, COSIGNED_AT = 1_800_000_000, 1_800_000_060
EVENTS = history_of(SIZE)
LEAVES = [leaf_of(event) for event in EVENTS]


def key_of(name: str) -> SigningKey:
    return SigningKey.from_seed(name, sha256(name.encode()).digest())


LOG, OTHER_LOG = key_of(ORIGIN), SigningKey.from_seed(ORIGIN, sha256(b"an attacker").digest())
WITNESS, SECOND = key_of("auditor.example/witness"), key_of("tax.example/witness")
LOG_KEY = LOG.verifying()
WITNESS_KEYS = (WITNESS.verifying(COSIGNATURE), SECOND.verifying(COSIGNATURE))
TRUST = Trust.of([LOG_KEY])


@cache
def node(level: int, number: int) -> bytes:
    hashes = [leaf_hash(leaf) for leaf in LEAVES[number << level : (number + 1) << level]]
    assert len(hashes) == 1 << level
    return root_above(hashes)


def checkpoint_of(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(node, 0, size))


def signed(checkpoint: Checkpoint, log: SigningKey = LOG, witnesses: Sequence[SigningKey] = ()) -> str:
    text = checkpoint.text()
    lines = [log.sign(text), log.cosign(text, SIGNED_AT), *(one.cosign(text, COSIGNED_AT) for one in witnesses)]
    return note_of(text, *lines)


@cache
def note(size: int = SIZE) -> str:
    return signed(checkpoint_of(size), witnesses=(WITNESS, SECOND))


def inclusion(index: int, size: int = SIZE) -> InclusionProof:
    return InclusionProof.of(node, index, size, note(size), LEAVES[index])


def consistency(earlier: int, size: int = SIZE) -> ConsistencyProof:
    return ConsistencyProof.of(node, earlier, size, note(size))


def trusted_by(*keys: VerifyingKey, at_least: int = 0) -> Trust:
    return Trust.of([LOG_KEY, *keys], at_least)
