"""A witness: cosigns, with a key of its own, what a log signed, and never two trees of which one contradicts the other.

Which log, by which key, and what was cosigned last come from the witness's own files; nothing of it from the log.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, NoteInvalid, SigningKey, VerifyingKey, note_of, parsed, split
from adapters.proof.proofs import ConsistencyProof
from adapters.proof.trust import Trust, Trusted
from adapters.proof.whole_file import write_whole
from projections.audit.merkle import ProofInvalid


class WitnessRefused(Exception):
    """Says why nothing is cosigned. What does not go on from what was cosigned is kept beside it."""


class Shown(Protocol):
    """A log as it shows itself: by a file, by the API, or by the database."""

    def latest(self) -> str:
        """The newest checkpoint, as a note."""

    def growth(self, earlier: int, size: int) -> ConsistencyProof:
        """What shows that the tree of `size` begins with the one of `earlier` leaves."""


class Cosigned(NamedTuple):
    """What a witness cosigned, and the checkpoint that it had cosigned before."""

    note: str
    trusted: Trusted
    before: Trusted | None
    at: int

    @property
    def silent_s(self) -> int | None:
        """How long ago the log itself signed it last, by its own time; None where it does not say."""
        return None if self.trusted.signed_at is None else max(0, self.at - self.trusted.signed_at)


class Witness:
    """The witness of one log; `state` is the file of what it cosigned last."""

    def __init__(self, key: SigningKey, log: Trust, state: Path, clock: Callable[[], datetime]) -> None:
        self.key, self.log, self.state, self.clock = key, log, state, clock

    def cosign(self, shown: Shown, *, first: bool = False) -> Cosigned:
        """Cosigns the newest checkpoint and keeps it; `first` begins with whatever tree the log shows.

        Raises WitnessRefused, or NoteInvalid for what the log has not signed.
        """
        with self._alone():
            before = self._before(first=first)
            note = shown.latest()
            trusted = self.log.opened(note)
            if before:
                self._refuse_contradiction(before, trusted, note, shown)
            at = int(self.clock().timestamp())
            own = before.witnesses[self.key.name] if before else at
            if at < own:
                raise WitnessRefused("the clock is behind the time of the last cosignature: set it right")
            cosigned = with_line(note, self.log.known(), self.key, self.key.cosign(trusted.checkpoint.text(), at))
            write_whole(self.state, cosigned)
            return Cosigned(cosigned, trusted, before, at)

    def _before(self, *, first: bool) -> Trusted | None:
        """What was cosigned last, by this key."""
        if not self.state.exists():
            if first:
                return None
            raise WitnessRefused(
                f"there is no {self.state}: bring it back, or say --first if nothing of this log was ever cosigned"
            )
        if first:
            raise WitnessRefused(f"{self.state} is there already: leave --first out")
        mine = Trust(self.log.logs, (self.key.verifying(COSIGNATURE),), at_least=1)
        try:
            return mine.opened(self.state.read_text("utf-8"))
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise WitnessRefused(f"{self.state} is not what this key cosigned of this log ({error})") from None

    def _refuse_contradiction(self, before: Trusted, now: Trusted, note: str, shown: Shown) -> None:
        kept, new = before.checkpoint, now.checkpoint
        if new.origin != kept.origin:
            raise WitnessRefused(
                f"the log is {new.origin}, and {kept.origin} was cosigned: after a fork of the ledger look at what was"
                " lost, then begin a state of its own with --first"
            )
        if new.size == kept.size:
            if new.root != kept.root:
                evidence = self._evidence(new, note)
                raise WitnessRefused(
                    f"THE LOG CONTRADICTS ITSELF: its tree of {new.size} leaves is not the one that was cosigned."
                    f" Nothing was cosigned. {self.state} and {evidence} are both signed by it: keep them, and ask its"
                    " operators"
                )
            return
        if new.size < kept.size:
            self._does_not_grow(new, note, f"its tree has {new.size} leaves, and one of {kept.size} was cosigned")
        try:
            shown.growth(kept.size, new.size).check(kept, new)
        except ProofInvalid as error:
            what = f"nothing shows that its tree of {new.size} leaves begins with that of {kept.size} ({error})"
            self._does_not_grow(new, note, what)

    def _does_not_grow(self, new: Checkpoint, note: str, what: str) -> None:
        """An old checkpoint or a wrong proof may come from whoever shows it, and not from the log."""
        evidence = self._evidence(new, note)
        raise WitnessRefused(
            f"the log does not show that it grew from what was cosigned: {what}. Nothing was cosigned. The checkpoint"
            f" is kept as {evidence}: look at the log elsewhere, and ask its operators for a proof"
        )

    def _evidence(self, new: Checkpoint, note: str) -> Path:
        """Where a refused checkpoint is kept; what is kept already stays as it is."""
        evidence = self.state.with_name(f"{self.state.name}.{new.size}-{new.root.hex()[:16]}.refused")
        if not evidence.exists():
            write_whole(evidence, note)
        return evidence

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two runs with one state would each cosign what the other has not seen."""
        self.state.parent.mkdir(parents=True, exist_ok=True)
        with self.state.with_name(f"{self.state.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WitnessRefused(f"another run works with {self.state}: try again when it has ended") from None
            yield


def with_line(note: str, known: Iterable[VerifyingKey], key: SigningKey, line: str) -> str:
    """The note with a cosignature behind the lines of known keys, in place of an earlier one by the same key.

    What others put there is left out: a note with too many lines could not be opened any more.
    """
    text, _ = split(note)
    own = (key.name, key.verifying(COSIGNATURE).key_id)
    kept = {(one.name, one.key_id) for one in known} - {own}
    lines = note[len(text) + 1 :].split("\n")[:-1]
    return note_of(text, *(f"{one}\n" for one in lines if parsed(one)[:2] in kept), line)
