"""Sample payloads from a JSON Schema: one for every choice that a field offers."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_OID, uuid5

TEXTS = ("contoso", "US", "USD", "4242", sha256(b"sample").hexdigest())  # one for every pattern of the domain
FORMATS = {"date": "2028-02-29", "date-time": "2028-02-29T09:30:00.000001Z"}


def samples(schema: Mapping[str, Any]) -> list[Any]:
    """One sample for each choice in the schema, the fewest that show them all; the same at every call."""
    return choices(schema, schema.get("$defs", {}), "")


def choices(  # noqa: C901, PLR0911, PLR0912 - one case for each kind of field reads best as one table
    schema: Mapping[str, Any], shared: Mapping[str, Any], name: str
) -> list[Any]:
    """All choices of one field; an object has as many as its field with the most."""
    match schema:
        case {"$ref": ref}:
            return choices(shared[ref.rpartition("/")[2]], shared, name)
        case {"const": value}:
            return [value]
        case {"enum": values}:
            return list(values)
        case {"anyOf": options}:
            return [choice for option in options for choice in choices(option, shared, name)]
        case {"type": "null"}:
            return [None]
        case {"type": "boolean"}:
            return [True, False]
        case {"type": "integer" | "number"}:
            return [schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)]
        case {"type": "string", "format": "uuid"}:
            return [str(uuid5(NAMESPACE_OID, name))]
        case {"type": "string", "format": kind}:
            return [FORMATS[kind]]
        case {"type": "string", "pattern": pattern}:
            return [text_like(pattern)]
        case {"type": "string"}:
            return [name]
        case {"type": "array", "items": items}:
            return [[choice] for choice in choices(items, shared, name)]
        case {"type": "object", "properties": fields}:
            return in_turn({field: choices(of, shared, f"{name}.{field}".lstrip(".")) for field, of in fields.items()})
        case {"type": "object", "propertyNames": keys, "additionalProperties": of}:
            return in_turn(
                {key: choices(of, shared, f"{name}.{key}".lstrip(".")) for key in choices(keys, shared, name)}
            )
        case {"type": "object"}:
            return [{}]
        case _:
            raise ValueError(f"no sample is known for {name}: {schema}; teach tests/tidy/samples.py this kind of field")


def text_like(pattern: str) -> str:
    for text in TEXTS:
        if re.fullmatch(pattern, text):
            return text
    raise ValueError(f"no sample text fits {pattern}; add one to TEXTS in tests/tidy/samples.py")


def in_turn(fields: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Objects that take each field's choices in turn, until the longest list is through."""
    turns = max((len(found) for found in fields.values()), default=1)
    return [{field: found[turn % len(found)] for field, found in fields.items()} for turn in range(turns)]
