"""What a writer asked for and what it was answered, noted outside the database: one line each, before and after."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.command import Command
from services.ports import Receipt
from tools.soak.wishes import parse_command


class Line(StrEnum):
    """What a line says of its command."""

    SENT = "S"
    ACKNOWLEDGED = "A"
    REFUSED = "R"


@dataclass
class Entry:
    """A command as it was sent, and its answer; without one it may or may not have been carried out."""

    command: Command
    receipt: Receipt | None = None
    refusal: str | None = None

    @property
    def answered(self) -> bool:
        return self.receipt is not None or self.refusal is not None


class Journal:
    """Survives the death of its writer: a line is whole or it was never said."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        if (size := os.fstat(self._file).st_size) and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # whoever wrote the line before was killed in the middle of it

    def sent(self, command: Command) -> None:
        self._note(Line.SENT, command, f"{type(command).__name__} {command.model_dump_json(exclude_unset=True)}")

    def acknowledged(self, command: Command, receipt: Receipt) -> None:
        numbers = (receipt.position, receipt.organization_seq, receipt.events, receipt.recorded_at)
        self._note(Line.ACKNOWLEDGED, command, f"{receipt.fingerprint.hex()} {' '.join(map(str, numbers))}")

    def refused(self, command: Command, code: str) -> None:
        self._note(Line.REFUSED, command, code)

    def _note(self, kind: Line, command: Command, what: str) -> None:
        os.write(self._file, f"{kind} {command.command_id} {what} .\n".encode())

    def close(self) -> None:
        os.close(self._file)


def read_journal(path: Path) -> list[Entry]:
    """Every command that was sent, in order, each with its answer."""
    entries: dict[str, Entry] = {}
    for kind, command_id, what in _lines(path):
        match kind:
            case Line.SENT:
                name, _, content = what.partition(" ")
                entries[command_id] = Entry(parse_command(name, content))
            case Line.ACKNOWLEDGED:
                fingerprint, position, seq, events, recorded_at = what.split()
                entries[command_id].receipt = Receipt(
                    bytes.fromhex(fingerprint), int(position), int(seq), int(events), int(recorded_at)
                )
            case Line.REFUSED:
                entries[command_id].refusal = what
    return list(entries.values())


def _lines(path: Path) -> Iterator[tuple[Line, str, str]]:
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.endswith(" ."):  # others were cut off by a kill, before anything was sent or answered
                kind, command_id, what = line.removesuffix(" .").split(" ", 2)
                yield Line(kind), command_id, what
