"""What the topic promises is written down, as it is, and every message keeps to it."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import PLACEHOLDERS, PUBLIC_TYPES, types_of
from adapters.kafka.public_fields import FIELDS
from adapters.kafka.public_headers import HEADERS
from adapters.kafka.public_mapper import public_content
from tests.tidy.source import ROOT
from tests.tidy.topics import read
from tools.contract.event_contract import DOCS, RELEASED, all_schemas, releases
from tools.contract.event_schema import UNIT
from tools.contract.events import files, stale
from tools.contract.examples import HISTORY, SOURCE, dumped, example_events

FILES = files()
SCHEMAS = {path.name.removesuffix(".json"): json.loads(path.read_text("utf-8")) for path in DOCS.glob("*.v[0-9]*.json")}
STORED = [
    pytest.param(topic, state, id=f"{topic.removeprefix('seatledger.')}-{number}")
    for topic, versions in read().events.items()
    for number, state in enumerate(state for states in versions.values() for state in states)
]
VALIDATORS = {name: Draft202012Validator(schema, validate_formats=True) for name, schema in SCHEMAS.items()}


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_down_is_what_is_sent(name: str) -> None:
    path = DOCS / name
    assert path.exists(), f"docs/events/{name} is not there: run `make contract`"
    assert path.read_text(encoding="utf-8") == FILES[name], "run `make contract`, and read what it changes"


def test_nothing_is_written_down_that_is_not_sent_any_more() -> None:
    assert not stale(), "run `make contract`, and read what it takes away"


def test_what_is_made_is_the_same_every_time() -> None:
    assert list(files().items()) == list(FILES.items())


def test_every_release_has_kept_what_it_promised() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = sorted(re.findall(r"^## (\d+\.\d+\.\d+) - ", changelog, re.MULTILINE))
    kept = sorted(path.stem for path in RELEASED.glob("*.json"))
    assert kept == released, "`make contract ARGS=--release` keeps the promises of the version in pyproject.toml"
    assert [release["release"] for release in releases()] == kept
    recorded = sorted(path.stem.removeprefix("messages-") for path in HISTORY.glob("messages-*.json"))
    assert recorded == released, "beside them it keeps a message of every event as the release sends it"
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] in released


def test_every_type_has_a_schema_that_is_one() -> None:
    assert SCHEMAS.keys() == all_schemas().keys()
    assert {schema["$id"] for schema in SCHEMAS.values()} == {
        kind.schema_id for kind in (*PUBLIC_TYPES.values(), *PLACEHOLDERS)
    }
    for name, schema in SCHEMAS.items():
        assert meta.is_valid(schema), name


def test_a_schema_is_complete_in_itself_and_says_what_every_field_means() -> None:
    for name, schema in SCHEMAS.items():
        assert "$ref" not in json.dumps(schema), name
        for path, field in every_object_and_field(schema):
            assert field.get("description", "").endswith("."), f"{name}: {path} has no meaning"
            if path.endswith(("_minor", "_minor_before", "_ppm", "days", "licenses", "quantity")):
                assert field[UNIT], f"{name}: {path} has no unit: say it in adapters/kafka/public_fields.py"


def test_a_schema_is_open_everywhere_and_knows_no_closed_list_of_words() -> None:
    for name, schema in SCHEMAS.items():
        text = json.dumps(schema)
        assert text.count('"type": "object"') == text.count('"additionalProperties": true'), name
        assert '"enum"' not in text, name


def test_an_event_says_when_it_is_sent() -> None:
    for name, schema in SCHEMAS.items():
        assert "Sent " in schema["description"], f"{name}: its docstring says when it is sent, and what it promises"


def test_no_meaning_is_left_over() -> None:
    used = {path.rpartition(".")[2] for schema in SCHEMAS.values() for path, _ in every_object_and_field(schema)}
    left = sorted(name for name in FIELDS if name.rpartition(".")[2] not in used)
    assert not left, f"no event has such a field; take it out of adapters/kafka/public_fields.py: {left}"


def every_object_and_field(schema: Any, at: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    """Every field at any depth, with its path."""
    found = []
    for name, field in schema.get("properties", {}).items():
        path = f"{at}.{name}".lstrip(".")
        found += [(path, field), *every_object_and_field(field, path)]
        for inner in (field.get("items", {}), *field.get("anyOf", [])):
            found += every_object_and_field(inner, path)
    return found


@pytest.mark.parametrize(("topic", "state"), STORED)
def test_every_sample_of_every_event_is_valid_by_its_schema(topic: str, state: dict[str, Any]) -> None:
    kind, value = public_content(replace(example_events()[topic], state=dumped(state)))
    VALIDATORS[kind.name.removeprefix("seatledger.")].validate(json.loads(value))


@pytest.mark.parametrize("topic", sorted(example_events()))
def test_every_message_of_an_example_keeps_to_the_document(topic: str) -> None:
    document = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
    message = message_of(example_events()[topic], SOURCE)
    headers = {name: value.decode() for name, value in message.headers}
    told = document["components"]["messages"][headers["ce_type"].removeprefix("seatledger.")]
    shared = document["components"]["schemas"]["headers"]
    own = told["headers"]["allOf"][1]
    for schema in (shared, own):
        Draft202012Validator(schema, validate_formats=True).validate(headers)
    assert headers.keys() <= shared["properties"].keys() == {header.name for header in HEADERS}
    Draft202012Validator(told["payload"], validate_formats=True).validate(json.loads(message.value))
    Draft202012Validator(document["components"]["schemas"]["key"], validate_formats=True).validate(message.key.decode())


def test_the_document_names_every_type_and_no_internal_topic() -> None:
    text = (DOCS / "asyncapi.json").read_text(encoding="utf-8")
    named = {kind.name for kind in (*types_of(1).values(), *PLACEHOLDERS)}
    assert named == set(re.findall(r'"name": "(seatledger\.[^"]+)"', text))
    assert "seatledger.relay.position" not in text


def test_a_message_that_is_not_what_was_promised_is_seen() -> None:
    validator = VALIDATORS["member.member_added.v1"]
    assert validator.is_valid({"member_id": "00000000-0000-4000-8000-000000000001", "kind": "robot", "added": 1})
    assert not validator.is_valid({"member_id": "somebody", "kind": "member"})
    assert not validator.is_valid({"member_id": "00000000-0000-4000-8000-000000000001"})
