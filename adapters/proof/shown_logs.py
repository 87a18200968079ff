"""A log as it shows itself to a witness: by a file that somebody brought, or by the database."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.postgres.tree import NotSealed, TreeReads
from adapters.proof.proofs import OLD, ConsistencyProof
from adapters.proof.prove import newest
from adapters.proof.witness import WitnessRefused
from projections.audit.merkle import ProofInvalid


@dataclass(frozen=True)
class ShownByFile:
    """A checkpoint, alone or behind the proof that it begins with an earlier one."""

    text: str

    def latest(self) -> str:
        return ConsistencyProof.parse(self.text).note if self.text.startswith(OLD) else self.text

    def growth(self, earlier: int, size: int) -> ConsistencyProof:
        if not self.text.startswith(OLD):
            raise WitnessRefused(
                f"the file has no proof that its tree of {size} leaves begins with the one of {earlier} that you"
                f" cosigned: bring what `seatledger audit consistency {earlier}` writes"
            )
        return ConsistencyProof.parse(self.text)


@dataclass(frozen=True)
class ShownByTree:
    """The ledger itself."""

    url: str

    def latest(self) -> str:
        with TreeReads(self.url) as tree:
            return newest(tree).note

    def growth(self, earlier: int, size: int) -> ConsistencyProof:
        with TreeReads(self.url) as tree:
            try:
                return ConsistencyProof.of(tree.node, earlier, size, newest(tree).note)
            except NotSealed as error:
                raise ProofInvalid(str(error)) from None
