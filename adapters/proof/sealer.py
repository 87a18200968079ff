"""The sealer: numbers settled events as leaves of the tree, and signs its root when all of it is as it was.

It signs nothing that is not consistent with what it signed before, and nothing that it has not read back. What it
signed last lies outside the database, and is written there before anybody else hears of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from adapters.postgres.follower import Follower
from adapters.postgres.seal_session import SealSession
from adapters.postgres.tree import TILE_HASHES, TILE_LEVELS, NotSealed, Sealed, TreeReads, above
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import note_of
from adapters.proof.reread import Chains, EventDiffers, SealRefused, reread
from adapters.proof.seal_folder import Kept, SealFolder
from projections.audit.leaf import hash_of
from projections.audit.merkle import EMPTY_ROOT, Frontier, root_of, subtrees

BATCH = 2_000  # events of one look
MOST = 50_000  # events of one checkpoint
MOST_TILES = 200  # read again in one step
IDLE_S = 3_600.0  # so often it says that nothing was added
REREAD_S = 86_400.0  # in which all of history is read again


class TreeRolledBack(SealRefused):
    """The database has less of the tree than was signed."""


class TreeDiffers(SealRefused):
    """The tree has another root than was signed."""


class ForkNotAccepted(SealRefused):
    """The ledger is called otherwise than when it was last signed for."""


class StateLost(SealRefused):
    """The database knows of checkpoints, and the folder of none."""


class Step(NamedTuple):
    """What a step of the sealer did."""

    added: int  # leaves
    size: int
    signed: Kept | None
    reread: int  # old leaves that were read again
    drained: bool  # nothing more was settled


@dataclass(frozen=True)
class Pace:
    """How often a sealer does what."""

    idle_s: float = IDLE_S
    reread_s: float = REREAD_S


class Sealer:
    """Of one ledger, which no other seals meanwhile; made by `begin`, ended by its first error."""

    def __init__(
        self,
        session: SealSession,
        follower: Follower,
        folder: SealFolder,
        *,
        clock: Callable[[], datetime],
        pace: Pace,
        last: Kept | None,
    ) -> None:
        self._session, self._follower, self._folder = session, follower, folder
        self._clock, self._pace = clock, pace
        self.last = last
        self._signed_at: datetime | None = None
        self._next_tile, self._owed, self._paid_at = random.SystemRandom().randrange(1 << 30), 0.0, time.monotonic()

    @property
    def signed_size(self) -> int:
        return self.last.checkpoint.size if self.last else 0

    def step(self) -> Step:
        """Seals what is settled, at most so much; raises SealRefused, LedgerUnavailable or TreeMoved."""
        origin = self._session.tree().origin()
        self._refuse_fork(origin)
        return self._step(origin)

    def _step(self, origin: str) -> Step:
        frontier, stored = self._as_signed()
        if self._signed_at is None and self.last and self.last.note:
            publish(self._session, self._folder, self.last, self._clock())  # the one before may have ended in between
        added, drained = self._extend(stored)
        size, tree = stored + added, self._session.tree()
        chains = Chains(self._session)
        for tile in reread(self._session, frontier.size, size):
            chains.see([event for event, _ in tile])
            for _, leaf_hash in tile:
                frontier.append(leaf_hash)
        root = frontier.root()
        if size and root != root_of(tree.node, 0, size):
            raise TreeDiffers(f"the stored tree of {size} leaves has not the root that its events give")
        signed = None
        if size > self.signed_size or (size and self._silent()):
            signed = self._sign(Checkpoint(origin, size, root))
        return Step(added, size, signed, self._reread(tree), drained)

    def _refuse_fork(self, origin: str) -> None:
        if self.last and self.last.checkpoint.origin != origin:
            raise ForkNotAccepted(
                f"the ledger is {origin} now, and was {self.last.checkpoint.origin} when it was last sealed: after"
                " `seatledger ledger fork`, `seatledger seal accept-fork` shows what was lost and goes on"
            )

    def _as_signed(self) -> tuple[Frontier, int]:
        """The frontier of the tree that was signed last, and how many leaves are stored."""
        tree, size = self._session.tree(), self.signed_size
        if (stored := tree.size()) < size:
            raise TreeRolledBack(
                f"{size} leaves were signed for, and the database has {stored}: it is an older copy. Restore what is"
                " missing; where it stays lost, `seatledger ledger fork` begins a new epoch"
            )
        frontier = Frontier()
        try:
            for level, number in subtrees(0, size):
                frontier.append(tree.node(level, number), level)
        except NotSealed as lost:
            raise TreeDiffers(f"the stored tree has lost what was signed for: {lost}") from None
        if self.last and frontier.root() != self.last.checkpoint.root:
            raise TreeDiffers(
                f"the stored tree of {size} leaves does not have the root that was signed: it was changed, or the"
                " database is an older copy that went on. `seatledger audit verify` names what differs"
            )
        return frontier, stored

    def _extend(self, size: int) -> tuple[int, bool]:
        """Numbers settled events as leaves; how many, and whether there are no more."""
        added = 0
        while added < MOST:
            after, events = self._follower.after, self._follower.poll(BATCH)
            if not events:
                return added, True
            positions, hashes = [event.position for event in events], [hash_of(event) for event in events]
            self._session.extend(size + added, positions, hashes, after=after)
            added += len(events)
            if len(events) < BATCH:
                return added, True  # what comes meanwhile is for the next step: a busy ledger never stops
        return added, False

    # Signing.

    def _silent(self) -> bool:
        """Whether nothing was signed for long."""
        if self._signed_at is None:
            return True  # also what a sealer before this one signed and did not publish
        return abs((self._clock() - self._signed_at).total_seconds()) >= self._pace.idle_s

    def _sign(self, checkpoint: Checkpoint) -> Kept:
        now = self._clock().astimezone(UTC)
        signed, before = signed_by(self._folder, checkpoint, now), self.last
        self._folder.signed(signed.note)
        publish(self._session, self._folder, signed, now)
        if before and self._signed_at and hour(now) == hour(self._signed_at):
            self._folder.withdraw(before.checkpoint, because_of=checkpoint)
        self.last, self._signed_at = signed, now
        return signed

    # What was sealed long ago.

    def _reread(self, tree: TreeReads) -> int:
        """Reads so many old tiles again that all of them come in turn within the time that is set."""
        now = time.monotonic()
        tiles = -(-self.signed_size // TILE_HASHES)
        self._owed += tiles * (now - self._paid_at) / self._pace.reread_s
        self._paid_at = now
        due = min(int(self._owed), tiles, MOST_TILES)
        self._owed = min(self._owed - due, MOST_TILES)
        leaves = 0
        for _ in range(due):
            number = self._next_tile % tiles
            leaves += self._reread_tile(tree, number)
            self._next_tile = number + 1
        return leaves

    def _reread_tile(self, tree: TreeReads, number: int) -> int:
        start, end = number * TILE_HASHES, min((number + 1) * TILE_HASHES, self.signed_size)
        try:
            (found,) = reread(self._session, start, end)
            if len(found) == TILE_HASHES:
                self._refuse_other_root(tree, 1, number, above(b"".join(leaf_hash for _, leaf_hash in found)))
        except EventDiffers as differs:
            self._folder.suspects(differs.leaf)
            raise
        except (TreeDiffers, NotSealed):
            self._folder.suspects(end - 1)  # by the last leaf below it one comes to it again
            raise
        return len(found)

    def _refuse_other_root(self, tree: TreeReads, level: int, number: int, root: bytes) -> None:
        """What stands above a full tile follows from it; and above the last of 256 full ones, from all of them."""
        if tree.node(level * TILE_LEVELS, number) != root:
            raise TreeDiffers(f"what stands above tile {number} of level {level - 1} does not follow from it")
        if number % TILE_HASHES == TILE_HASHES - 1:
            upper = number // TILE_HASHES
            hashes = b"".join(
                tree.node(level * TILE_LEVELS, upper * TILE_HASHES + place) for place in range(TILE_HASHES)
            )
            self._refuse_other_root(tree, level + 1, upper, above(hashes))

    def look_at_suspect(self) -> None:
        """What the one before found wrong comes first; when it is mended, nothing is suspected any more."""
        leaf = self._folder.suspect()
        if leaf is not None:
            if leaf < self.signed_size:
                self._reread_tile(self._session.tree(), leaf // TILE_HASHES)
            self._folder.suspects(None)

    # A fork.

    def go_on(self, origin: str, left: Checkpoint | None) -> Step:
        """Signs what is left under a new origin, before anything is added to it; then goes on as always.

        From then on it may die anywhere. The file of where an origin begins stays, for later forks.
        """
        size, root = (left.size, left.root) if left else (0, EMPTY_ROOT)
        self._folder.begins(self._sign(Checkpoint(origin, size, root)))
        self._signed_at = None
        return self._step(origin)


def begin(
    session: SealSession, follower: Follower, folder: SealFolder, *, clock: Callable[[], datetime], pace: Pace
) -> Sealer:
    """Takes over from the sealer before; raises SealRefused or SealFolderUnfit instead of guessing."""
    tree = session.tree()
    last = folder.last()
    folder.keys(tree.origin())
    if last is None and (origins := tree.origins()):
        raise StateLost(
            f"there are checkpoints of {origins[0]}, and {folder.path} has none: bring back the folder of the sealer,"
            " or let `seatledger seal resume` go on from a checkpoint that somebody kept"
        )
    stored = tree.size()
    follower.go_back(tree.position_of(stored - 1) if stored else 0)
    return Sealer(session, follower, folder, clock=clock, pace=pace, last=last)


def signed_by(folder: SealFolder, checkpoint: Checkpoint, at: datetime) -> Kept:
    """With a line and a time of each key, for whoever has the old one alone asks when, too."""
    text, keys = checkpoint.text(), folder.keys(checkpoint.origin)
    times = [key.cosign(text, int(at.timestamp())) for key in keys]
    return Kept(checkpoint, note_of(text, *(key.sign(text) for key in keys), *times))


def hour(at: datetime) -> int:
    """As files are kept: the last one of each hour."""
    return int(at.timestamp()) // 3600


def publish(session: SealSession, folder: SealFolder, signed: Kept, at: datetime) -> None:
    """In the database and as files; of an empty tree there is nothing to tell."""
    if signed.checkpoint.size:
        session.keep(Sealed(signed.checkpoint.origin, signed.checkpoint.size, signed.note, at))
        folder.publish(signed)
