"""Proofs made of the stored tree: of an event, and of the growth from one checkpoint to another.

They are checked before they are handed out, so that a tree or an event which is not as it was signed is said here.
"""

from __future__ import annotations

from uuid import UUID

from adapters.postgres.tree import NotSealed, Sealed, TreeReads
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import NoteInvalid, split
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from domain.refusals import NotFound
from projections.audit.leaf import leaf_of
from projections.audit.merkle import ProofInvalid


class NotAsSigned(Exception):
    """Says that what is stored does not fit what was signed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; `seatledger audit verify` names everything that differs")


def newest(tree: TreeReads) -> Sealed:
    """The newest checkpoint; raises NotSealed where there is none yet."""
    found = tree.last_checkpoint()
    if found is None:
        raise NotSealed("nothing is sealed yet: see that a sealer runs, and ask again")
    return found


def of_size(tree: TreeReads, size: int) -> Sealed:
    """The checkpoint of so many leaves; raises NotFound."""
    found = tree.checkpoint(size)
    if found is None:
        raise NotFound(what="checkpoint of size", key=size)
    return found


def prove_event(tree: TreeReads, organization_id: UUID, position: int) -> InclusionProof:
    """That an event is in the newest signed tree; raises NotFound where the organization has none, or NotSealed."""
    event = tree.event(position)
    if event is None or event.organization_id != organization_id:
        raise NotFound(what="event at position", key=position)
    index, sealed = tree.index_of(position), newest(tree)
    if index is None or index >= sealed.size:
        raise NotSealed(f"the event at position {position} is not sealed yet: ask again in a minute")
    leaf, checkpoint = leaf_of(event), checkpoint_in(sealed)
    try:
        proof = InclusionProof.of(tree.node, index, sealed.size, sealed.note, leaf)
        proof.check(checkpoint, leaf)
    except (ProofInvalid, NotSealed) as error:
        raise NotAsSigned(f"the event at position {position} is not what was sealed, or the tree is damaged") from error
    return proof


def prove_growth(tree: TreeReads, earlier: Checkpoint, later: Sealed) -> ConsistencyProof:
    """That the tree of a checkpoint begins with an earlier one, wherever that was kept; raises NotAsSigned."""
    checkpoint = checkpoint_in(later)
    try:
        proof = ConsistencyProof.of(tree.node, earlier.size, later.size, later.note)
        proof.check(earlier, checkpoint)
    except (ProofInvalid, NotSealed) as error:
        raise NotAsSigned(
            f"the tree of {later.size} leaves does not begin with the one of {earlier.size} that was signed ({error})"
        ) from error
    return proof


def checkpoint_in(sealed: Sealed) -> Checkpoint:
    """What a stored note says; who signed it, its reader checks."""
    try:
        checkpoint = Checkpoint.parse(split(sealed.note)[0])
    except NoteInvalid as error:
        raise NotAsSigned(f"the stored checkpoint of {sealed.size} leaves is none ({error})") from error
    if (checkpoint.origin, checkpoint.size) != (sealed.origin, sealed.size):
        raise NotAsSigned(f"the stored checkpoint of {sealed.size} leaves is another one")
    return checkpoint
