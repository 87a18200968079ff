"""How a sealer goes on after a fork of the ledger, and after the loss of its folder: both are a person's decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from adapters.postgres.forks import Fork
from adapters.postgres.seal_session import SealSession
from adapters.postgres.tree import TreeReads
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import VerifyingKey
from adapters.proof.seal_folder import Kept, SealFolder
from adapters.proof.sealer import Sealer, Step, TreeDiffers, TreeRolledBack, signed_by
from projections.audit.merkle import LARGEST, root_of


class NotAccepted(Exception):
    """Says why a sealer does not go on from here."""


class Left(NamedTuple):
    """What is left of what was signed under the origin before."""

    fork: Fork
    origin: str  # the new one
    last: Checkpoint  # of the old one
    left: Checkpoint | None  # the largest that the ledger still has
    lost: Sequence[int]  # the sizes of published checkpoints that it has not any more


def what_is_left(session: SealSession, folder: SealFolder) -> Left:
    """What accepting the fork would accept; raises NotAccepted, and TreeDiffers where more was changed than lost."""
    tree = session.tree()
    origin, last = tree.origin(), folder.last()
    if last is None or last.checkpoint.origin == origin:
        raise NotAccepted(f"there is no fork to accept: {origin} is what is sealed")
    old = last.checkpoint
    *ledger_id, from_epoch = old.origin.split("/")
    *same, epoch = origin.split("/")
    if ledger_id != same:
        raise NotAccepted(f"{origin} is another ledger than {old.origin}: it needs a folder of its own")
    covering = [one for one in session.forks() if one.from_epoch <= int(from_epoch) < one.to_epoch <= int(epoch)]
    if not covering:
        raise NotAccepted(f"the ledger records no fork from epoch {from_epoch} to {epoch}: nothing explains its name")
    stored = tree.size()
    kept = {one.size: one for one in [*signed_so_far(tree, folder, old.origin), old]}
    left = kept[max(sizes)] if (sizes := [size for size in kept if size <= stored]) else None
    refuse_other_root(tree, left)
    return Left(covering[-1], origin, old, left, sorted(size for size in kept if size > stored))


def signed_so_far(tree: TreeReads, folder: SealFolder, newest: str) -> list[Checkpoint]:
    """What was signed of this ledger up to an origin, without what earlier forks have lost; the oldest epoch first."""
    ledger, _, last = newest.rpartition("/")
    names = [origin.rpartition("/") for origin in [*tree.origins(), *folder.origins(ledger)]]
    epochs = {int(epoch) for of, _, epoch in names if of == ledger and epoch.isascii() and epoch.isdigit()}
    found, until = list[Checkpoint](), LARGEST
    for epoch in sorted((one for one in epochs if one <= int(last)), reverse=True):
        origin = f"{ledger}/{epoch}"
        ours = [*folder.published(origin), *folder.ours(one.note for one in tree.checkpoints(origin))]
        found = [*(one for one in ours if 0 < one.size <= until), *found]
        until = min([until, *(one.size for one in ours)])  # from here it went on under this name
    return found


def accept_fork(session: SealSession, folder: SealFolder, sealer: Sealer) -> tuple[Left, Step]:
    """Signs the first checkpoint under the new origin."""
    found = what_is_left(session, folder)
    return found, sealer.go_on(found.origin, found.left)


def resume(
    session: SealSession, folder: SealFolder, note: str, at: datetime, lost_key: VerifyingKey | None = None
) -> Kept:
    """Takes a checkpoint that somebody kept for the last that was signed; raises NotAccepted, or SealFolderUnfit.

    One by a key that was lost is signed anew, of the same size and root, with the keys that are here.
    """
    also = [lost_key] if lost_key else []
    kept, last, tree = folder.opened(note, "what was kept", also=also), folder.last(also=also), session.tree()
    if kept.checkpoint.origin != (origin := tree.origin()):
        raise NotAccepted(f"the checkpoint is of {kept.checkpoint.origin}, and the ledger is {origin}")
    newest = tree.last_checkpoint()
    known = max(last.checkpoint.size if last else 0, newest.size if newest else 0)
    if kept.checkpoint.size < known:
        raise NotAccepted(f"the checkpoint has {kept.checkpoint.size} leaves, and one of {known} is known here")
    if (stored := tree.size()) < kept.checkpoint.size:
        raise TreeRolledBack(f"the checkpoint has {kept.checkpoint.size} leaves, and the database {stored}")
    refuse_other_root(tree, kept.checkpoint)
    folder.signed(signed_by(folder, kept.checkpoint, at).note if lost_key else note)
    return kept


def refuse_other_root(tree: TreeReads, checkpoint: Checkpoint | None) -> None:
    if checkpoint and checkpoint.size and root_of(tree.node, 0, checkpoint.size) != checkpoint.root:
        raise TreeDiffers(
            f"the stored tree of {checkpoint.size} leaves does not have the root that was signed: more was changed than"
            " lost"
        )
