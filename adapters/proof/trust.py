"""Whom an auditor trusts: the keys of logs and witnesses, from the auditor's own configuration and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, ED25519, NoteInvalid, VerifyingKey, open_note

LONGEST_FILE = 64 * 1024


class Trusted(NamedTuple):
    """A checkpoint that a trusted log signed."""

    checkpoint: Checkpoint
    signed_at: int | None  # when the log said so itself last, in seconds since 1970
    witnesses: Mapping[str, int]  # who cosigned it, and when


@dataclass(frozen=True)
class Trust:
    """The keys of logs, by which a checkpoint must be signed, and of witnesses, of whom some must have cosigned."""

    logs: tuple[VerifyingKey, ...]
    witnesses: tuple[VerifyingKey, ...] = ()
    at_least: int = 0  # witnesses

    def __post_init__(self) -> None:
        if not self.logs:
            raise NoteInvalid("name the key of the log, as its operators published it when you first asked for it")
        if {key.name for key in self.logs} & {key.name for key in self.witnesses}:
            raise NoteInvalid("a witness has the name of a log")
        if self.at_least > len({key.public for key in self.witnesses}):
            raise NoteInvalid(f"{self.at_least} witnesses are asked for, and fewer are known")

    @classmethod
    def of(cls, keys: Iterable[VerifyingKey], at_least: int = 0) -> Self:
        """Keys of the signing kind are logs', those of the cosigning kind witnesses'."""
        known = list(dict.fromkeys(keys))
        logs = tuple(key for key in known if key.kind == ED25519)
        return cls(logs, tuple(key for key in known if key.kind == COSIGNATURE and not own(key, logs)), at_least)

    def known(self) -> list[VerifyingKey]:
        """Every key by which a line of a note is believed; those by which logs say when belong to it."""
        times = [VerifyingKey(log.name, COSIGNATURE, log.public) for log in self.logs]
        return [*self.logs, *times, *self.witnesses]

    def opened(self, note: str) -> Trusted:
        """The checkpoint of a note that its own log signed and enough witnesses cosigned; raises NoteInvalid."""
        opened = open_note(note, self.known())
        checkpoint = Checkpoint.parse(opened.text)
        by_log = [one for one in opened.signed if one.name == checkpoint.origin]
        if not any(one.kind == ED25519 for one in by_log):
            raise NoteInvalid("it is not signed by the log that it is of")
        witnesses = {key.name: key for key in self.witnesses}
        by_witness = {one.name: one.at for one in opened.signed if one.name in witnesses and one.at is not None}
        if len({witnesses[name].public for name in by_witness}) < self.at_least:
            raise NoteInvalid(f"{len(by_witness)} witnesses have cosigned it, and {self.at_least} must have")
        return Trusted(checkpoint, max((one.at for one in by_log if one.at is not None), default=None), by_witness)


def own(key: VerifyingKey, logs: Iterable[VerifyingKey]) -> bool:
    """A log's own cosignature says when, and is no witness's."""
    return any(key.public == log.public for log in logs)


def keys_from(words: Iterable[str]) -> list[VerifyingKey]:
    """Keys as they are written, with plus signs, or files with one a line; raises NoteInvalid."""
    keys: list[VerifyingKey] = []
    for word in words:
        if not word:
            raise NoteInvalid("a key is named, and is empty; it looks like name+0123abcd+base64")
        written = [word] if "+" in word else lines_of(Path(word))
        keys += [VerifyingKey.parse(one) for one in written]
    return keys


def lines_of(path: Path) -> list[str]:
    """What stands in a file of keys, without empty lines and remarks."""
    with path.open("rb") as file:
        content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise NoteInvalid(f"{path} is too long for a file of keys")
    try:
        lines = [line.strip() for line in content.decode().splitlines()]
    except UnicodeDecodeError:
        raise NoteInvalid(f"{path} is not a file of keys") from None
    return [line for line in lines if line and not line.startswith("#")]
