"""Files that verbs write: whole or not at all, and never over another file unless that was asked for."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

from adapters.cli.failure import BadInput


def write_file(path: Path, content: bytes, *, force: bool) -> None:
    """Refuses a file that is there; a failure leaves none behind."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file in it")
    if path.exists() and not force:
        raise exists(path)
    new = path.with_name(f".{path.name}.{token_hex(4)}.new")
    try:
        new.write_bytes(content)
        if force:
            new.replace(path)
        else:
            os.link(new, path)  # refused when another was faster
    except FileExistsError:
        raise exists(path) from None
    finally:
        new.unlink(missing_ok=True)


def exists(path: Path) -> BadInput:
    return BadInput(f"{path} is there already; name another file, or say --force to overwrite it")
