"""What a sealer keeps outside the database: its keys, the last checkpoint that it signed, and what it published.

Whoever owns the database cannot change what stands here; it is why a database that went back is noticed.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import ED25519, NoteInvalid, SigningKey, VerifyingKey, open_note, split
from adapters.proof.whole_file import write_whole

KEY, LAST, SUSPECT, LOCK, PUBLISHED, LATEST = "key", "last", "suspect", "lock", "checkpoints", "latest"


class SealFolderUnfit(Exception):
    """Says what is wrong with a file that a sealer rests on, and what to do about it."""


class Kept(NamedTuple):
    """A checkpoint with its note."""

    checkpoint: Checkpoint
    note: str


class SealFolder:
    """The folder of one ledger's sealer; a sealer that stands by elsewhere must see the same one."""

    def __init__(self, path: Path, seeds: str | None = None) -> None:
        """`seeds` are the keys where they do not lie in the folder: 64 hexadecimal digits a line, the newest first."""
        self.path = path
        self._seeds = seeds

    # Keys. The name of a key is the origin of what it signs.

    def has_key(self) -> bool:
        return self._seeds is not None or (self.path / KEY).exists()

    def make_key(self) -> None:
        """Makes a key in front of those that are there; they go on signing beside it until somebody takes them out."""
        if self._seeds is not None:
            raise SealFolderUnfit("SEATLEDGER_SEAL_KEY is set: put a new line in front of its lines instead")
        before = self._read(KEY) or ""
        self._write(KEY, f"{secrets.token_hex(32)}\n{before}", mode=0o600)

    def keys(self, origin: str) -> list[SigningKey]:
        """The newest first; raises SealFolderUnfit where there is none, or what is there is none."""
        text = self._seeds if self._seeds is not None else self._read(KEY)
        if text is None:
            raise SealFolderUnfit(
                f"there is no key at {self.path / KEY}: make one with `seatledger seal key --new`, or bring it back"
            )
        try:
            seeds = [bytes.fromhex(line) for line in text.split()]
            keys = [SigningKey.from_seed(origin, seed) for seed in seeds]
        except ValueError:
            keys = []
        if not keys:
            raise SealFolderUnfit("a key of the sealer is 64 hexadecimal digits, one a line")
        return keys

    # What was signed last.

    def last(self, *, also: Sequence[VerifyingKey] = ()) -> Kept | None:
        """The last checkpoint that was signed; None before the first."""
        note = self._read(LAST)
        return self.opened(note, LAST, also=also) if note is not None else None

    def opened(self, note: str, where: str, *, also: Sequence[VerifyingKey] = ()) -> Kept:
        """A note of ours, or by a lost key of the same origin; raises SealFolderUnfit where it is not."""
        try:
            checkpoint = Checkpoint.parse(split(note)[0])
            ours = [key.verifying() for key in self.keys(checkpoint.origin)]
            lost = [key for key in also if (key.name, key.kind) == (checkpoint.origin, ED25519) and key not in ours]
            open_note(note, [*ours, *lost])
        except NoteInvalid as wrong:
            raise SealFolderUnfit(
                f"{where} is no checkpoint that this key signed ({wrong}): bring back the folder of the sealer"
            ) from None
        return Kept(checkpoint, note)

    def signed(self, note: str) -> None:
        """Notes it before anybody else hears of it, so that nothing else is ever signed for less."""
        self._write(LAST, note)

    # What was found wrong, to be looked at first by the next sealer.

    def suspect(self) -> int | None:
        """The leaf whose event was not as it was sealed."""
        text = (self._read(SUSPECT) or "").strip()
        return int(text) if text.isascii() and text.isdigit() else None

    def suspects(self, leaf: int | None) -> None:
        if leaf is not None:
            self._write(SUSPECT, f"{leaf}\n")
        else:
            (self.path / SUSPECT).unlink(missing_ok=True)

    # What anybody may have.

    def publish(self, kept: Kept) -> None:
        """As a file of its own, and as the latest."""
        self._write(f"{PUBLISHED}/{kept.checkpoint.origin}/{kept.checkpoint.size}", kept.note, mode=0o644)
        self._write(f"{PUBLISHED}/{LATEST}", kept.note, mode=0o644)

    def begins(self, kept: Kept) -> None:
        """Notes from which checkpoint, also of nothing, an origin goes on."""
        self._write(f"{PUBLISHED}/{kept.checkpoint.origin}/{kept.checkpoint.size}", kept.note, mode=0o644)

    def withdraw(self, checkpoint: Checkpoint, *, because_of: Checkpoint) -> None:
        """Takes away the file of one in whose place a larger one stands: a file for each would be millions a year."""
        if (checkpoint.origin, checkpoint.size) != (because_of.origin, because_of.size):
            (self.path / PUBLISHED / checkpoint.origin / str(checkpoint.size)).unlink(missing_ok=True)

    def published(self, origin: str) -> list[Checkpoint]:
        """What stands here of an origin and is signed by a key that is still here, the smallest first."""
        folder = self.path / PUBLISHED / origin
        sizes = sorted(int(path.name) for path in folder.glob("*") if path.name.isascii() and path.name.isdigit())
        return self.ours(self._read(f"{PUBLISHED}/{origin}/{size}") for size in sizes)

    def origins(self, ledger: str) -> list[str]:
        """Of which something stands here, of a ledger in any of its epochs."""
        return [f"{ledger}/{path.name}" for path in (self.path / PUBLISHED / ledger).glob("*")]

    def ours(self, notes: Iterable[str | None]) -> list[Checkpoint]:
        """What a key signed that is still here; the rest proves nothing, and is passed over."""
        found = []
        for note in notes:
            with suppress(SealFolderUnfit):
                found.append(self.opened(note or "", "").checkpoint)
        return found

    # Files.

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process seals with this folder, meanwhile."""
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        with (self.path / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _read(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise SealFolderUnfit(f"{self.path / name} is not text: bring back the folder of the sealer") from None

    def _write(self, name: str, text: str, *, mode: int = 0o600) -> None:
        path = self.path / name
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        write_whole(path, text, mode=mode)
