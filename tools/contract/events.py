"""Writes what the topic promises: docs/events, with a schema of every event, the AsyncAPI document and a page to read.

With `--release` it keeps what the version in pyproject.toml promises, for ever: once, when it is released.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tools.contract.asyncapi import document
from tools.contract.event_contract import DOCS, all_schemas
from tools.contract.event_page import page
from tools.contract.release import release


def files() -> dict[str, str]:
    """Every file of docs/events that is made, by its name, as it is committed."""
    schemas = {f"{name}.json": dumped(schema) for name, schema in all_schemas().items()}
    return {**schemas, "asyncapi.json": dumped(document()), "README.md": page()}


def stale() -> list[str]:
    """What lies in docs/events and is not made any more."""
    made = files()
    return sorted(path.name for path in DOCS.iterdir() if path.is_file() and path.name not in made)


def dumped(content: Any) -> str:
    """JSON in the order in which it was made."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write() -> None:
    """Writes what differs, and removes what is stale."""
    DOCS.mkdir(parents=True, exist_ok=True)
    for name in stale():
        (DOCS / name).unlink()
        print(f"docs/events/{name} is gone")
    for name, text in files().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    print(f"docs/events/ ({len(files())} files)")


if __name__ == "__main__":
    write()
    if "--release" in sys.argv[1:]:
        release()
