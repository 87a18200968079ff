"""The whole contract as one value, as a release keeps it: topics, headers, what is sent when, and every schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.kafka.public_events import OPAQUE_TYPE, editions, types_of
from adapters.kafka.topic_settings import EVENTS, Topics
from tools.contract.event_schema import Schema, headers_schema, schema_of, short, types

DOCS = Path(__file__).parents[2] / "docs" / "events"
RELEASED = DOCS / "released"
KEY: Schema = {"type": "string", "format": "uuid"}  # of the organization


def contract() -> dict[str, Any]:
    """What is promised now, by edition of the topic."""
    return {"editions": {str(edition): edition_of(edition) for edition in editions()}}


def edition_of(edition: int) -> dict[str, Any]:
    """What one edition promises."""
    return {
        "topic": {"address": Topics.of(edition).events, "partitions": EVENTS.partitions, **EVENTS.promised, "key": KEY},
        "headers": headers_schema(),
        "opaque": short(OPAQUE_TYPE),
        "events": {event: short(kind) for event, kind in sorted(types_of(edition).items())},
        "schemas": {name: schema_of(kind) for name, kind in types(edition).items()},
    }


def all_schemas() -> dict[str, Schema]:
    """Every schema of every edition by its name: as many files."""
    found: dict[str, Schema] = {}
    for edition in editions():
        found |= {name: schema_of(kind) for name, kind in types(edition).items()}
    return dict(sorted(found.items()))


def releases() -> Iterator[dict[str, Any]]:
    """The contracts of all releases, as they are kept."""
    for path in sorted(RELEASED.glob("*.json")):
        yield dict(json.loads(path.read_text(encoding="utf-8")))
