"""`audit verify`: history against the tree, and the tree against each checkpoint that is stored or kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import merge
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from adapters.postgres.sealed_reads import SealedReads
from adapters.postgres.tree import Sealed
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import ED25519, NoteInvalid, VerifyingKey, split
from adapters.proof.seal_folder import SealFolder
from adapters.proof.trust import Trust
from projections.audit.sealed import SealedCheck, SignedRoot
from projections.audit.tiles import TileCheck
from projections.audit.verify import Difference

LogKeys: TypeAlias = Callable[[str], Sequence[VerifyingKey]]
"""The keys by which the checkpoints of an origin must be signed; none: they are not known here."""

NAMED = 1_000  # differences of checkpoints


class Kept(NamedTuple):
    """A checkpoint that is kept outside the database, and where."""

    where: str
    checkpoint: Checkpoint


class Trusted(NamedTuple):
    """What signatures are checked by: keys that were brought, or else those of the sealer's folder on this machine."""

    keys: LogKeys
    kept: Sequence[Kept]
    named: Sequence[str]  # origins of which something signed must be there, and nothing that another key signed


def brought(keys: Sequence[VerifyingKey], notes: Iterable[tuple[str, str]]) -> Trusted:
    """Keys of an auditor's own, and checkpoints kept elsewhere by where they are; raises NoteInvalid."""
    of_log = partial(keys_of, keys)
    kept = [Kept(where, Trust.of(keys).opened(note).checkpoint) for where, note in notes]
    return Trusted(of_log, kept, list(dict.fromkeys(key.name for key in keys if key.kind == ED25519)))


def of_sealer(folder: SealFolder) -> Trusted:
    """The keys of the sealer's folder and what it signed last, where it is and may be read; raises SealFolderUnfit."""
    try:
        last = folder.last() if folder.has_key() else None
    except PermissionError:
        last = None
    if last is None:
        return Trusted(lambda _: (), (), ())
    kept = [Kept(f"what the sealer signed last, by {folder.path},", last.checkpoint)]
    return Trusted(lambda origin: [key.verifying() for key in folder.keys(origin)], kept, ())


def keys_of(keys: Sequence[VerifyingKey], origin: str) -> Sequence[VerifyingKey]:
    return [key for key in keys if key.name == origin and key.kind == ED25519]


class TreeVerified(NamedTuple):
    """What was compared, beside the differences."""

    sealed: int  # events
    unsealed: int
    checkpoints: int
    unchecked: int  # of them, whose signatures nobody could check: no key was at hand


class TreeVerification:
    """One pass over history, tree and checkpoints; `verified` tells afterwards what it was."""

    def __init__(self, reads: SealedReads, trusted: Trusted) -> None:
        self._reads, self._trusted = reads, trusted
        self._kept = sorted(SignedRoot(one.checkpoint.size, one.checkpoint.root, one.where) for one in trusted.kept)
        self._seen = {one.checkpoint.origin for one in trusted.kept}
        self._wrong: list[Difference] = []
        self._checkpoints = self._unchecked = 0
        self.verified = TreeVerified(0, 0, 0, 0)

    def differences(self) -> Iterator[Difference]:
        """Each event, leaf, tile and checkpoint that is not as it should be, the first position first."""
        tiles = TileCheck(self._reads.tiles())
        check = SealedCheck(merge(self._kept, self._stored(), key=itemgetter(0)))
        yield from check.differences(self._reads.events(), tiles.leaves())
        yield from tiles.differences()
        yield from self._wrong
        for origin in self._trusted.named:
            if origin not in self._seen:
                what = "nothing is stored that the key of this log signed"
                yield Difference(check="checkpoints", key=origin, what=what)
        self.verified = TreeVerified(check.size, check.unsealed, self._checkpoints, self._unchecked)

    def _stored(self) -> Iterator[SignedRoot]:
        """The roots of the stored checkpoints that say what they should."""
        for stored in self._reads.checkpoints():
            self._checkpoints += 1
            try:
                checkpoint, by_whom = self._opened(stored)
                if (checkpoint.origin, checkpoint.size) != (stored.origin, stored.size):
                    raise NoteInvalid(f"it is of {checkpoint.origin} and {checkpoint.size} leaves")  # noqa: TRY301
            except NoteInvalid as error:
                if len(self._wrong) < NAMED:
                    key = f"checkpoint {stored.size} of {stored.origin}"
                    self._wrong.append(Difference(check="checkpoints", key=key, what=str(error)))
                continue
            self._seen.add(checkpoint.origin)
            yield SignedRoot(checkpoint.size, checkpoint.root, f"the stored checkpoint{by_whom}")

    def _opened(self, stored: Sealed) -> tuple[Checkpoint, str]:
        keys = self._trusted.keys(stored.origin)
        text, lines = split(stored.note)
        known = {(key.name, key.key_id) for key in keys}
        if keys and (self._trusted.named or any((name, key_id) in known for name, key_id, _ in lines)):
            return Trust(tuple(keys)).opened(stored.note).checkpoint, ""
        self._unchecked += 1  # of a key that was replaced, or is not here
        return Checkpoint.parse(text), ", whose signature was not checked,"


def verify_tree(url: str, trusted: Trusted) -> tuple[list[Difference], TreeVerified]:
    """The differences, and what was compared."""
    with SealedReads(url) as reads:
        verification = TreeVerification(reads, trusted)
        return list(verification.differences()), verification.verified
