"""Files that take long to write: under their name when they are complete, and under another one until then."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from adapters.cli.failure import BadInput
from adapters.cli.write_file import exists


@contextmanager
def growing_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that can be sought in; `NAME.partial` until it is complete and on the disk.

    Whoever is killed meanwhile leaves that one behind, and the next run begins it anew. Refuses a file that is there,
    and one that another process is writing.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file in it")
    if path.exists() and not force:
        raise exists(path)
    partial = path.with_name(f"{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        refuse_another(partial, file)
        try:
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            put_in_place(partial, path, force=force)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def refuse_another(partial: Path, file: BinaryIO) -> None:
    """One process writes it, and it is still called so: another may have completed it a moment ago."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = partial.exists() and os.path.samestat(partial.stat(), os.fstat(file.fileno()))
    except BlockingIOError:
        ours = False
    if not ours:
        raise BadInput(f"another process is writing {partial}; wait for it, or name another file")


def put_in_place(partial: Path, path: Path, *, force: bool) -> None:
    if force:
        partial.replace(path)
    else:
        try:
            os.link(partial, path)  # refused when another was faster
        except FileExistsError:
            raise exists(path) from None
        partial.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
