"""The list of erasures: an append-only file outside the database, a line of JSON each, chained by hashes.

It holds ids and reason codes, and nothing personal. A line says what is meant, or how something meant has ended.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from adapters.embedded.lease import alone
from adapters.postgres.errors import StartRefused
from services.ports import LedgerUnavailable

GENESIS = sha256(b"seatledger.erasures.1").digest()
TAIL = 1024 * 1024  # bytes; a longer line is found by reading all of them
ENDINGS = ("done", "not_done")


class Line(NamedTuple):
    """One line: its number from 1, its hash, and what it says."""

    number: int
    hash: bytes
    said: Mapping[str, Any]

    @property
    def what(self) -> str:
        return str(self.said["what"])


class ErasureFile:
    """The file at a path. Writing takes `alone`, which holds among all processes that share the path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process and one thread at a time; the kernel frees it however the holder ends."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        with self._writable():
            lock.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            lock.touch(mode=0o600)
        with alone(lock):
            yield

    def last(self) -> Line | None:
        """The last line as it stands, without a look at those before it; None: there is none, or it is torn or long."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
                tail = file.read()
        except FileNotFoundError:
            return None
        if not tail.endswith(b"\n"):
            return None
        try:
            return line_in(json.loads(tail[:-1].rpartition(b"\n")[2]))
        except (ValueError, KeyError, TypeError):
            return None

    def read(self) -> list[Line]:
        """Every line, after a look at the chain; raises StartRefused where it does not hold.

        Alone: what a crash left of a line that nobody was told of is cut off.
        """
        try:
            written = self.path.read_bytes()
        except FileNotFoundError:
            return []
        whole = written[: written.rfind(b"\n") + 1]
        if len(whole) < len(written):
            with self._writable():
                os.truncate(self.path, len(whole))
        lines: list[Line] = []
        previous = GENESIS
        for number, text in enumerate(whole.splitlines(), start=1):
            try:
                line = line_in(json.loads(text))
            except (ValueError, KeyError, TypeError):
                line = None
            if line is None or line.number != number or line.hash != chained(previous, line.said):
                raise StartRefused(
                    f"line {number} of the erasure list {self.path} is not as it was written: put back a copy of it"
                )
            lines.append(line)
            previous = line.hash
        return lines

    def append(self, last: Line | None, **said: Any) -> Line:
        """Writes a line after the last one, to stay."""
        number = last.number + 1 if last else 1
        content = {"line": number, **said, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        line = Line(number, chained(last.hash if last else GENESIS, content), content)
        with self._writable():
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                write_whole(descriptor, f"{json.dumps({**content, 'hash': line.hash.hex()})}\n".encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                sync_folder(self.path.parent)
        return line

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = f"the erasure list {self.path} cannot be written ({error.strerror})"
            raise LedgerUnavailable(f"{why}: mend that, then send the same command again") from None


def line_in(content: dict[str, Any]) -> Line:
    """A line of its JSON."""
    written = bytes.fromhex(content.pop("hash"))
    return Line(int(content["line"]), written, content)


def chained(previous: bytes, said: Mapping[str, Any]) -> bytes:
    """Binds a line to all before it."""
    return sha256(previous + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()


def write_whole(descriptor: int, text: bytes) -> None:
    """At the end of a file: all of it, or nothing. A disk that is nearly full takes a part, and tells no error."""
    before = os.fstat(descriptor).st_size
    if os.write(descriptor, text) < len(text):
        os.ftruncate(descriptor, before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sync_folder(folder: Path) -> None:
    """So that a new file is there after a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
