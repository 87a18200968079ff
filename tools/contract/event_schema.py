"""The JSON Schema of a public event, as it is written down: complete in itself, open to fields that are added."""

from __future__ import annotations

from typing import Any

from adapters.kafka.public_events import PLACEHOLDERS, types_of
from adapters.kafka.public_fields import meaning
from adapters.kafka.public_headers import FIRST, HEADERS
from adapters.kafka.public_values import PublicType

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
UNIT = "x-unit"
WORDS = "x-extensible-enum"  # words may be added to it, so consumers accept words that they do not know
PREFIX = "seatledger."
UNSAID = ("title", "default")  # what pydantic says besides, and the contract does not


def short(kind: PublicType) -> str:
    """The name of a type without the prefix that all have: the name of its file."""
    return kind.name.removeprefix(PREFIX)


def types(edition: int) -> dict[str, PublicType]:
    """The types of an edition of the topic, by their short names, in their order."""
    return dict(sorted((short(kind), kind) for kind in (*types_of(edition).values(), *PLACEHOLDERS)))


def schema_of(kind: PublicType) -> Schema:
    """The schema of a type's values."""
    raw = kind.model.model_json_schema(mode="serialization")
    shared = raw.pop("$defs", {})
    return {"$schema": DIALECT, "$id": kind.schema_id, **_object(raw, shared)}


def headers_schema() -> Schema:
    """The headers of every message, as one object of texts."""
    return {
        "type": "object",
        "properties": {header.name: {"description": header.meaning, **header.schema} for header in HEADERS},
        # What was added later is not in older messages.
        "required": [header.name for header in HEADERS if header.always and header.since == FIRST],
        "additionalProperties": True,
    }


def _object(raw: Schema, shared: Schema) -> Schema:
    """A model: every field of it with what it means."""
    model = raw["title"]
    properties = {}
    for name, field in raw.get("properties", {}).items():
        said = meaning(model, name)
        unit = {UNIT: said.unit} if said.unit else {}
        properties[name] = {"description": said.text, **_inlined(field, shared), **unit}
    return {
        "title": model,
        "description": " ".join(raw["description"].split()),
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name in raw.get("required", ())],
        "additionalProperties": True,
    }


def _inlined(raw: Schema, shared: Schema) -> Schema:
    """A field without references: what it refers to stands in its place."""
    told = {key: value for key, value in raw.items() if key not in UNSAID}
    if "$ref" in told:
        model = _object(shared[told.pop("$ref").rpartition("/")[2]], shared)
        model.pop("description")  # the field says what it is here
        told = model | told
    if "anyOf" in told:
        told["anyOf"] = [_inlined(choice, shared) for choice in told["anyOf"]]
    if "items" in told:
        told["items"] = _inlined(told["items"], shared)
    if told.get("type") == "integer":
        told["format"] = "int64"
    return told
