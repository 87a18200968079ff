"""docs/events/README.md: what the topic promises, and every event with its fields and an example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from adapters.kafka.public_headers import HEADERS
from adapters.kafka.public_values import PublicType
from adapters.kafka.topic_settings import EVENTS
from tools.contract.asyncapi import every_type
from tools.contract.event_schema import UNIT, WORDS, Schema, schema_of, short
from tools.contract.samples import example_messages

WRITTEN = Path(__file__).with_name("event_page.txt")


def page() -> str:
    """The page as it is committed: what is written by hand, with what is made of the models in its places."""
    kinds, examples = every_type(), example_messages()
    made = {
        "partitions": str(EVENTS.partitions),
        "headers": "\n".join(headers()),
        "contents": "\n".join(contents(kinds)),
        "events": "\n".join(events(kinds, examples)).rstrip("\n"),
    }
    text = WRITTEN.read_text(encoding="utf-8")
    for place, content in made.items():
        text = text.replace(f"{{{place}}}", content)
    return text


def subject_of(kind: PublicType) -> str:
    """What an event is about: the first word of its name, as people say it."""
    return short(kind).partition(".")[0].replace("_", " ").capitalize()


def headers() -> Iterator[str]:
    yield "| header | type | what it is |"
    yield "|---|---|---|"
    for header in HEADERS:
        kind = header.schema.get("format") or header.schema.get("const") or header.schema.get("pattern") or "text"
        always = "" if header.always else " Not always there."
        yield f"| `{header.name}` | {code(kind)} | {header.meaning}{always} |"


def contents(kinds: list[PublicType]) -> Iterator[str]:
    """Where each event stands on the page."""
    for subject, group in groupby(kinds, key=subject_of):
        links = ", ".join(f"[{title(kind)}](#{anchor(kind)})" for kind in group)
        yield f"- {subject}: {links}"


def title(kind: PublicType) -> str:
    return short(kind).partition(".")[2] or short(kind)


def anchor(kind: PublicType) -> str:
    return kind.name.replace(".", "")


def events(kinds: list[PublicType], examples: dict[str, tuple[dict[str, str], Any]]) -> Iterator[str]:
    for subject, group in groupby(kinds, key=subject_of):
        yield f"## {subject}"
        yield ""
        for kind in group:
            yield from event(kind, examples[kind.name])


def event(kind: PublicType, example: tuple[dict[str, str], Any]) -> Iterator[str]:
    """One event: what it promises, what it says, and one as it went out."""
    schema = schema_of(kind)
    yield f"### {kind.name}"
    yield ""
    yield f"{schema['description']} ([schema]({short(kind)}.json))"
    yield ""
    rows = list(fields(schema))
    if rows:
        yield "| field | type | unit | what it is |"
        yield "|---|---|---|---|"
        yield from rows
        yield ""
    yield "```json"
    yield json.dumps(example[1], indent=1, ensure_ascii=False)
    yield "```"
    yield ""


def fields(schema: Schema, at: str = "") -> Iterator[str]:
    """A row for every field, those inside of others behind them."""
    for name, field in schema["properties"].items():
        path = f"{at}{name}"
        optional = "" if name in schema["required"] else ", optional"
        yield f"| `{path}` | {kind_of(field)}{optional} | {field.get(UNIT, '')} | {field['description']} |"
        inner, dots = inside(field)
        if inner:
            yield from fields(inner, f"{path}{dots}.")


def inside(field: Schema) -> tuple[Schema | None, str]:
    """The object within a field, and how its path goes on."""
    dots = ""
    while True:
        if "anyOf" in field:
            field = next(choice for choice in field["anyOf"] if choice.get("type") != "null")
        if "items" not in field:
            return (field if "properties" in field else None), dots
        field, dots = field["items"], dots + "[]"


def kind_of(field: Schema) -> str:
    """The type of a field in words."""
    words = f": {', '.join(code(word) for word in field[WORDS])}, …" if WORDS in field else ""
    match field:
        case {"anyOf": choices}:
            return " or ".join(kind_of(choice) for choice in choices) + words
        case {"type": "array", "items": items}:
            return f"list of {kind_of(items)}"
        case {"type": "string", "format": kind}:
            return str(kind)
        case {"type": "string"} if words:
            return f"word{words}"
        case {"type": "string"}:
            return "text"
        case {"type": kind}:
            return str(kind) + words
        case _:
            raise ValueError(f"no words are known for {field}; teach tools/contract/event_page.py this kind of field")


def code(text: Any) -> str:
    return f"`{text}`"
