"""The AsyncAPI 3.0 document of the topic: one channel for each edition, one message for each type."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from adapters.kafka.public_events import editions
from adapters.kafka.public_values import PublicType
from adapters.kafka.topic_settings import EVENTS, Topics
from tools.contract.event_contract import KEY, all_schemas
from tools.contract.event_schema import Schema, headers_schema, schema_of, types
from tools.contract.samples import example_values

ROOT = Path(__file__).parents[2]
BINDING = "0.5.0"  # of the Kafka bindings
INFO = """\
Everything that happens in the ledger, for services: each event once, in order per organization, without a gap. \
What is promised and how to read it right stands in README.md beside this document; what is promised of each event, in \
its schema. The relay's position topic is internal and not described here."""
WORDS = """\
The schema is JSON Schema 2020-12, here without its `$id`, which is what `ce_dataschema` says. `x-unit` is what a \
field is counted in. `x-extensible-enum` lists the words that are known; others may come."""


def document() -> dict[str, Any]:
    """The document as a value."""
    examples = example_values()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:seatledger:events",
        "info": {
            "title": "seatledger events",
            "version": version,
            "description": INFO,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {f"events{edition}": channel(edition) for edition in editions()},
        "operations": {name: made for edition in editions() for name, made in operations(edition).items()},
        "components": {
            "messages": {key_of(kind): message(kind, examples[kind.name]) for kind in every_type()},
            "messageTraits": {"cloudEvent": trait()},
            "schemas": {"headers": headers_schema(), "key": key()},
        },
    }


def channel(edition: int) -> dict[str, Any]:
    """The topic of an edition."""
    topic = Topics.of(edition).events
    kept = {name: int(value) for name, value in EVENTS.promised.items() if name.startswith("retention.")}
    return {
        "address": topic,
        "title": f"Events, edition {edition}",
        "description": "CloudEvents 1.0 in binary mode: the value is the event, all else stands in headers.",
        "messages": {
            key_of(kind): {"$ref": f"#/components/messages/{key_of(kind)}"} for kind in types(edition).values()
        },
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": EVENTS.partitions,
                "topicConfiguration": {"cleanup.policy": [EVENTS.promised["cleanup.policy"]], **kept},
                "bindingVersion": BINDING,
            }
        },
    }


def operations(edition: int) -> dict[str, Any]:
    """What seatledger does with the topic, and what everybody else does."""
    where = {"$ref": f"#/channels/events{edition}"}
    return {
        f"publishEvents{edition}": {
            "action": "send",
            "channel": where,
            "title": "seatledger publishes",
            "description": "The relay, and nobody else: in transactions, each event once, by rising `ce_position`.",
        },
        f"followEvents{edition}": {
            "action": "receive",
            "channel": where,
            "title": "A service follows",
            "description": "With `isolation.level=read_committed`; keeps `ce_position` with the effect of the events.",
        },
    }


def message(kind: PublicType, example: Any) -> dict[str, Any]:
    """A message of one type; `ce_type` and `ce_dataschema` tell it from all others."""
    schema = schema_of(kind)
    payload: Schema = {name: value for name, value in schema.items() if name not in {"$id", "$schema"}}
    own = {name: {"const": value.decode()} for name, value in kind.headers}
    return {
        "name": kind.name,
        "title": schema["title"],
        "summary": schema["description"].partition(". ")[0].rstrip(".") + ".",
        "description": f"{schema['description']}\n\n{WORDS}",
        "contentType": "application/json",
        "headers": {"allOf": [{"$ref": "#/components/schemas/headers"}, {"type": "object", "properties": own}]},
        "payload": payload,
        "examples": [{"name": "recorded", "payload": example}],
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
    }


def trait() -> dict[str, Any]:
    """What all messages have in common."""
    return {
        "correlationId": {
            "location": "$message.header#/ce_correlationid",
            "description": "What belongs together across commands has the same.",
        },
        "bindings": {"kafka": {"key": {"$ref": "#/components/schemas/key"}, "bindingVersion": BINDING}},
    }


def key() -> Schema:
    """The key of every message."""
    return {
        **KEY,
        "description": "The organization, in lower case with hyphens: all that it does is in one partition, in order.",
    }


def every_type() -> list[PublicType]:
    """The types of all editions, each once, in the order of their names."""
    found = {name: kind for edition in editions() for name, kind in types(edition).items()}
    return [found[name] for name in all_schemas()]


def key_of(kind: PublicType) -> str:
    """What a type is called within the document: letters, digits, dots and underscores."""
    return kind.name.removeprefix("seatledger.")
