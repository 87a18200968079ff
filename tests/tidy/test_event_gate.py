"""A version of an event keeps its promises over all releases; whatever does not is refused, and says what to do."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from adapters.kafka.public_events import PUBLIC_TYPES
from adapters.kafka.public_headers import FIRST, HEADERS
from adapters.kafka.releases import in_order
from tools.contract.compatibility import broken_promises, changes
from tools.contract.event_contract import contract, releases

RELEASES = {release["release"]: release for release in releases()}
RESIZED = "license_pool.licenses_resized.v1"


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_promised_is_kept(release: str) -> None:
    broken = [str(found) for found in broken_promises(RELEASES[release], contract())]
    assert not broken, "consumers were promised this:\n" + "\n".join(broken)


def test_what_was_added_says_since_when() -> None:
    """Else the audit would miss it in the messages of before, or not miss it in those of today."""
    for release, promised in RELEASES.items():
        first = promised["editions"]["1"]
        for header in HEADERS:
            is_there = header.name in first["headers"]["properties"]
            said = f"{header.name} in adapters/kafka/public_headers.py: `since` is the release that first sends it"
            assert is_there == (in_order(header.since) <= in_order(release)), said
        for event, kind in PUBLIC_TYPES.items():
            was_opaque = first["events"].get(event) == first["opaque"] != kind.name.removeprefix("seatledger.")
            before = kind.opaque_before or FIRST
            said = f"{event} was opaque in {release}: declare it with opaque_before= the release that first tells it"
            assert was_opaque == (in_order(release) < in_order(before)) or event not in first["events"], said


# What is refused, on the contract of the first release. Each changes one thing.

Schema = dict[str, Any]


def remove(schema: Schema) -> None:
    del schema["properties"]["total_before"]
    schema["required"].remove("total_before")


def rename(schema: Schema) -> None:
    schema["properties"]["total_was"] = schema["properties"].pop("total_before")
    schema["required"][schema["required"].index("total_before")] = "total_was"


def set_to(keyword: str, value: Any, *path: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        field = schema
        for name in path:
            field = field["items"] if name == "[]" else field["properties"][name]
        if value is None:
            field.pop(keyword)
        else:
            field[keyword] = value

    return change


def require_a_new_one(schema: Schema) -> None:
    schema["properties"]["note"] = {"type": "string"}
    schema["required"].append("note")


def let_be_null(schema: Schema) -> None:
    schema["properties"]["total"] = {"anyOf": [{"type": "integer", "format": "int64"}, {"type": "null"}]}


def let_never_be_null(schema: Schema) -> None:
    schema["properties"]["document_id"]["anyOf"].pop()


def change_inside_of_a_choice(schema: Schema) -> None:
    schema["properties"]["charge"]["anyOf"][0]["properties"].pop("line")


REFUSED: dict[str, tuple[Callable[[Schema], None], str, str]] = {
    "removed": (remove, "total_before", "removed or renamed"),
    "renamed": (rename, "total_before", "removed or renamed"),
    "removed inside of another": (
        lambda s: s["properties"]["price"]["properties"].pop("plan"),
        "price.plan",
        "removed",
    ),
    "removed inside of a choice": (change_inside_of_a_choice, "charge.line", "removed"),
    "removed inside of a list": (
        lambda s: s["properties"]["batches"]["items"]["properties"].pop("number"),
        "batches[].number",
        "removed",
    ),
    "another type": (set_to("type", "string", "total"), "total", 'type was "integer" and is "string"'),
    "wider type": (set_to("type", "number", "total"), "total", 'is "number"'),
    "null is possible": (let_be_null, "total", "is absent"),
    "null is not possible any more": (let_never_be_null, "document_id", "anyOf was"),
    "another format": (set_to("format", "uri", "subscription_id"), "subscription_id", 'format was "uuid"'),
    "no format any more": (set_to("format", None, "subscription_id"), "subscription_id", "is absent"),
    "another unit": (set_to("x-unit", "euros", "price", "unit_price_minor"), "price.unit_price_minor", "x-unit was"),
    "no unit any more": (set_to("x-unit", None, "total"), "total", "x-unit was"),
    "a pattern": (set_to("pattern", "^[A-Z]{3}$", "price", "currency"), "price.currency", "pattern was absent"),
    "a bound": (set_to("minimum", 1, "total"), "total", "minimum was absent and is 1"),
    "a length": (set_to("maxLength", 9, "product_id"), "product_id", "maxLength was absent"),
    "a number of items": (set_to("minItems", 1, "batches"), "batches", "minItems was absent"),
    "a constant": (set_to("const", "increase", "reason"), "reason", "const was absent"),
    "a closed list of words": (set_to("enum", ["increase"], "reason"), "reason", "enum was absent"),
    "open words are closed": (set_to("x-extensible-enum", None, "reason"), "reason", "not open any more"),
    "a text is a list of words": (set_to("x-extensible-enum", ["a"], "product_id"), "product_id", "was not open"),
    "a word is gone": (set_to("x-extensible-enum", ["increase"], "reason"), "reason", 'lost the word "decrease"'),
    "optional": (lambda s: s["required"].remove("total"), "total", "was required and is optional"),
    "optional inside": (lambda s: s["properties"]["price"]["required"].remove("plan"), "price.plan", "is optional"),
    "new and required": (require_a_new_one, "note", "new and required"),
    "closed to fields that are added": (
        set_to("additionalProperties", value=False),
        "",
        "additionalProperties was true",
    ),
    "another id": (set_to("$id", "urn:another"), "", "$id was"),
    "a keyword that the gate does not know": (set_to("if", {"type": "null"}, "total"), "total", "if was absent"),
    "no list any more": (set_to("items", None, "batches"), "batches", "items was"),
}


def promised() -> dict[str, Any]:
    return deepcopy(RELEASES["0.1.0"])


def schema_in(whole: dict[str, Any]) -> Schema:
    return dict(whole["editions"]["1"]["schemas"])[RESIZED]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", REFUSED)
def test_a_change_that_breaks_a_consumer_is_refused(name: str) -> None:
    change, field, why = REFUSED[name]
    now = promised()
    change(schema_in(now))
    found = list(broken_promises(promised(), now))
    assert found, "the gate let it through"
    first = found[0]
    assert (first.event, first.field) == (RESIZED, field)
    assert why in first.why
    assert "0.1.0" in str(first)
    assert "docs/decisions/0016-event-versions.md" in str(first)
    if field:
        assert f"{RESIZED}, field {field}: " in str(first)


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "renamed"])
def test_what_is_refused_is_refused_the_other_way_round_too_unless_it_adds(name: str) -> None:
    """Compatible both ways: only what was added, and optional, or a new word, may be in one and not in the other."""
    change, field, _ = REFUSED[name]
    before = promised()
    change(schema_in(before))
    found = [one for one in broken_promises(before, promised()) if one.field == field]
    adds = {"a word is gone"}
    assert bool(found) == (name not in adds)


def add_a_field(schema: Schema) -> None:
    schema["properties"]["note"] = {"type": "string"}
    schema["properties"]["price"]["properties"]["discount"] = {"type": "object", "required": ["a"], "properties": {}}
    schema["properties"]["batches"]["items"]["properties"]["note"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


ACCEPTED: dict[str, Callable[[Schema], None]] = {
    "nothing": lambda _: None,
    "an optional field, at any depth": add_a_field,
    "a word": lambda s: s["properties"]["reason"]["x-extensible-enum"].append("gift"),
    "better said": set_to("description", "Said better.", "total"),
    "another title": set_to("title", "Resized"),
    "another example": set_to("examples", ["P2Y"], "price", "term"),
    "another order": lambda s: s.update(
        properties=dict(reversed(s["properties"].items())), required=s["required"][::-1]
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_change_that_breaks_nobody_is_accepted(name: str) -> None:
    now = promised()
    ACCEPTED[name](schema_in(now))
    assert list(broken_promises(promised(), now)) == []


def test_a_new_event_and_an_opaque_one_that_gets_a_type_are_accepted() -> None:
    now = promised()
    edition = now["editions"]["1"]
    edition["schemas"]["member.member_praised.v1"] = {"type": "object"}
    edition["events"]["seatledger.Member.MemberPraised"] = "member.member_praised.v1"
    edition["events"]["seatledger.Member.MemberDetailsChanged"] = "member.member_details_changed.v1"
    now["editions"]["2"] = deepcopy(edition)
    edition["headers"]["properties"]["ce_region"] = {"type": "string"}
    assert list(broken_promises(promised(), now)) == []


def without_event(edition: dict[str, Any]) -> None:
    del edition["schemas"][RESIZED]


def told_as_another(edition: dict[str, Any]) -> None:
    edition["events"]["seatledger.LicensePool.LicensesResized"] = "license_pool.licenses_resized.v2"


def told_as_opaque(edition: dict[str, Any]) -> None:
    edition["events"]["seatledger.LicensePool.LicensesResized"] = "opaque.v1"


def not_told(edition: dict[str, Any]) -> None:
    del edition["events"]["seatledger.LicensePool.LicensesResized"]


OF_THE_TOPIC: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "a type is gone": (without_event, RESIZED, "is gone"),
    "an event goes out as another version": (told_as_another, RESIZED, "is not sent any more when"),
    "an event is opaque now": (told_as_opaque, RESIZED, "is not sent any more when"),
    "an event does not go out": (not_told, RESIZED, "is not sent any more when"),
    "a header is gone": (lambda e: e["headers"]["properties"].pop("ce_time"), "headers, field ce_time", "removed"),
    "a header is not always there": (
        lambda e: e["headers"]["required"].remove("ce_time"),
        "headers, field ce_time",
        "is optional",
    ),
    "a new header is in older messages": (
        lambda e: (e["headers"]["properties"].update(ce_x={}), e["headers"]["required"].append("ce_x")),
        "headers, field ce_x",
        "new and required",
    ),
    "more partitions": (lambda e: e["topic"].update(partitions=24), "seatledger.events.v1", "another topic"),
    "another key": (lambda e: e["topic"].update(key={"type": "string"}), "seatledger.events.v1", "another topic"),
    "it forgets": (lambda e: e["topic"].update({"retention.ms": "1"}), "seatledger.events.v1", "another topic"),
}


@pytest.mark.parametrize("name", OF_THE_TOPIC)
def test_what_the_topic_promises_is_kept_too(name: str) -> None:
    change, event, why = OF_THE_TOPIC[name]
    now = promised()
    change(now["editions"]["1"])
    (found, *_) = broken_promises(promised(), now)
    assert str(found).startswith(event)
    assert why in found.why


def test_an_edition_is_not_taken_away() -> None:
    now = promised()
    now["editions"]["2"] = now["editions"].pop("1")
    (found,) = broken_promises(promised(), now)
    assert "edition 1: is not published any more" in str(found)


def test_a_promise_of_any_release_is_held_not_only_of_the_last() -> None:
    """A field that came in one release and went in the next is refused by the one that had it."""
    second, third = promised(), promised()
    add_a_field(schema_in(second))
    assert list(broken_promises(promised(), second)) == []
    assert list(broken_promises(promised(), third)) == []
    assert {found.field for found in broken_promises(second, third)} == {"note", "price.discount", "batches[].note"}


def test_the_comparison_does_not_change_what_it_compares() -> None:
    before = json.dumps(RELEASES["0.1.0"])
    list(changes(schema_in(RELEASES["0.1.0"]), {}))
    assert json.dumps(RELEASES["0.1.0"]) == before
