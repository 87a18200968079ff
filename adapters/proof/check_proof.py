"""Checks a proof with nothing but the keys of an auditor's own, as `audit check-proof` does offline."""

from __future__ import annotations

from typing import NamedTuple

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.proofs import ConsistencyProof, InclusionProof
from adapters.proof.trust import Trust, Trusted
from domain.envelope import RecordedEvent
from projections.audit.leaf import LeafInvalid, event_in
from projections.audit.merkle import ProofInvalid


class Proven(NamedTuple):
    """An event, and the signed tree that it is in."""

    event: RecordedEvent
    leaf_index: int
    trusted: Trusted


class Grown(NamedTuple):
    """Two signed trees, of which the later begins with the earlier."""

    earlier: Trusted
    later: Trusted


def check_event(text: str, trust: Trust) -> Proven:
    """What a proof of inclusion proves; raises ProofInvalid, or NoteInvalid where it is the checkpoint's fault."""
    proof = InclusionProof.parse(text)
    if proof.leaf is None:
        raise ProofInvalid("the proof does not say of which event it is: it has no bytes of a leaf")
    trusted = trust.opened(proof.note)
    proof.check(trusted.checkpoint, proof.leaf)
    try:
        return Proven(event_in(proof.leaf), proof.leaf_index, trusted)
    except LeafInvalid as error:
        raise ProofInvalid(f"what it proves is no event: {error}") from None


def check_growth(text: str, earlier_note: str, trust: Trust) -> Grown:
    """What a proof of consistency proves about a checkpoint that was kept; raises ProofInvalid or NoteInvalid."""
    proof = ConsistencyProof.parse(text)
    own = Trust(trust.logs, trust.witnesses)  # it need not be cosigned: whoever kept it looked at it then
    earlier, later = own.opened(earlier_note), trust.opened(proof.note)
    refuse_other_ledger(earlier.checkpoint, later.checkpoint)
    proof.check(earlier.checkpoint, later.checkpoint)
    return Grown(earlier, later)


def refuse_other_ledger(earlier: Checkpoint, later: Checkpoint) -> None:
    """The epochs may differ: after a fork the tree goes on under another name, for whoever trusts both keys."""
    ledgers = [one.origin.rpartition("/")[0] for one in (earlier, later)]
    if ledgers[0] != ledgers[1]:
        raise ProofInvalid(f"the checkpoints are of two ledgers, {earlier.origin} and {later.origin}")
