"""Whether what is promised now keeps what a release promised: compatible both ways, within the version of an event.

Backward: who reads by the new schema reads the messages of before. Forward: who reads by the old one reads those to
come. So a version may gain optional fields, and words in a list that is declared open, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tools.contract.event_schema import WORDS, Schema

TEXTS = {"title", "description", "examples", "default", "$comment"}  # for people: they may be said better
WALKED = {"properties", "required", "items", "anyOf", WORDS}
NEXT = "keep it as it was, or publish a new version beside it (docs/decisions/0016-event-versions.md)"


class Broken(NamedTuple):
    """A promise that is not kept."""

    event: str
    field: str  # the path of the field; empty: the event itself
    why: str
    release: str

    def __str__(self) -> str:
        place = f"{self.event}, field {self.field}" if self.field else self.event
        return f"{place}: {self.why}, and {self.release} promised otherwise; {NEXT}"


def broken_promises(release: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Broken]:
    """Everything that the contract of a release promised and today's does not keep; both are whole contracts."""
    name = release["release"]
    for edition, before in release["editions"].items():
        after = now["editions"].get(edition)
        if after is None:
            yield Broken(f"edition {edition}", "", "is not published any more", name)
            continue
        if before["topic"] != after["topic"]:
            yield Broken(before["topic"]["address"], "", f"is another topic: {after['topic']}", name)
        yield from (Broken("headers", *found, name) for found in changes(before["headers"], after["headers"]))
        opaque = before["opaque"]
        for event, type_before in before["events"].items():
            if type_before not in {opaque, after["events"].get(event)}:
                yield Broken(type_before, "", f"is not sent any more when {event} happens", name)
        for event, schema in before["schemas"].items():
            if event not in after["schemas"]:
                yield Broken(event, "", "is gone", name)
            else:
                yield from (Broken(event, *found, name) for found in changes(schema, after["schemas"][event]))


def changes(before: Schema, after: Schema, at: str = "") -> Iterator[tuple[str, str]]:
    """Field and reason of everything that is not compatible both ways; whatever it does not know must be the same."""
    for keyword in sorted((before.keys() | after.keys()) - TEXTS - WALKED):
        if before.get(keyword) != after.get(keyword):
            yield at, f"{keyword} was {_said(before, keyword)} and is {_said(after, keyword)}"
    yield from _fields(before, after, at)
    yield from _words(before, after, at)
    if ("items" in before) != ("items" in after):
        yield at, f"items was {_said(before, 'items')} and is {_said(after, 'items')}"
    elif "items" in before:
        yield from changes(before["items"], after["items"], f"{at}[]")
    choices = before.get("anyOf", []), after.get("anyOf", [])
    if len(choices[0]) != len(choices[1]):
        yield at, f"anyOf was {_said(before, 'anyOf')} and is {_said(after, 'anyOf')}"
    else:
        for one, other in zip(*choices, strict=True):
            yield from changes(one, other, at)


def _fields(before: Schema, after: Schema, at: str) -> Iterator[tuple[str, str]]:
    fields, fields_now = before.get("properties", {}), after.get("properties", {})
    required, required_now = before.get("required", []), after.get("required", [])
    for name in fields:
        path = f"{at}.{name}".lstrip(".")
        if name not in fields_now:
            yield path, "was removed or renamed"
            continue
        if (name in required) != (name in required_now):
            yield path, "was required and is optional" if name in required else "was optional and is required"
        yield from changes(fields[name], fields_now[name], path)
    for name in required_now:
        if name not in fields:
            yield f"{at}.{name}".lstrip("."), "is new and required, and older messages lack it: give it a default"


def _words(before: Schema, after: Schema, at: str) -> Iterator[tuple[str, str]]:
    """A list of words that is open may grow; it never loses a word, for the topic keeps the messages that say it."""
    if (WORDS in before) != (WORDS in after):
        yield at, f"its list of words {'is not open any more' if WORDS in before else 'was not open and is'}"
    for word in before.get(WORDS, []):
        if WORDS in after and word not in after[WORDS]:
            yield at, f"lost the word {json.dumps(word)}"


def _said(schema: Schema, keyword: str) -> str:
    return json.dumps(schema[keyword]) if keyword in schema else "absent"
