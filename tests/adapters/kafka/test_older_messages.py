"""A message verifies for ever: what was added since does not make it wrong, what was altered in it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.kafka import cloud_event, public_headers, releases
from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import OPAQUE_TYPE, PUBLIC_TYPES, types_of
from adapters.kafka.public_headers import Header
from adapters.kafka.public_values import DECLARED, PublicType
from adapters.kafka.topic import TopicMessage
from adapters.kafka.topic_audit import compare
from domain.envelope import RecordedEvent

RECORDED = sorted((Path(__file__).parents[2] / "history").glob("messages-*.json"))
ADDED_EVENT = "seatledger.Member.MemberAdded"


def recorded(path: Path) -> Iterator[tuple[int, RecordedEvent, TopicMessage]]:
    """What a release recorded: edition, event and the message it published of it."""
    for told in json.loads(path.read_text(encoding="utf-8"))["recorded"]:
        facts, message = dict(told["event"]), told["message"]
        for name in ("originator_id", "organization_id"):
            facts[name] = UUID(facts[name])
        for name in ("state", "metadata"):
            facts[name] = facts[name].encode()
        event = RecordedEvent(**{**facts, "chain_hash": bytes.fromhex(facts["chain_hash"])})
        yield (
            told["edition"],
            event,
            TopicMessage(
                0,
                event.position,
                message["timestamp_ms"],
                message["key"].encode(),
                message["value"].encode(),
                message["headers"],
            ),
        )


def source(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["source"])


EVERY = [
    pytest.param(path, edition, event, message, id=f"{path.stem}-{edition}-{event.topic}")
    for path in RECORDED
    for edition, event, message in recorded(path)
]
OLD = {event.topic: (event, message) for _, event, message in recorded(RECORDED[0])}
SOURCE = source(RECORDED[0])


def details(event: RecordedEvent, message: TopicMessage, **types: PublicType) -> list[str]:
    return [found.detail for found in compare([message], [event], SOURCE, PUBLIC_TYPES | types)]


def test_the_first_release_has_recorded_a_message_of_every_event() -> None:
    assert RECORDED[0].stem == "messages-0.1.0"
    assert len(OLD) == 86
    assert len({message.type for _, message in OLD.values()}) == 75


@pytest.mark.parametrize(("path", "edition", "event", "message"), EVERY)
def test_what_a_release_published_is_unaltered_today(
    path: Path, edition: int, event: RecordedEvent, message: TopicMessage
) -> None:
    assert list(compare([message], [event], source(path), types_of(edition))) == []


@pytest.mark.parametrize(("path", "edition", "event", "message"), EVERY)
def test_what_a_release_said_of_an_event_is_still_said(
    path: Path, edition: int, event: RecordedEvent, message: TopicMessage
) -> None:
    now = message_of(event, source(path), types_of(edition))
    if message.type != OPAQUE_TYPE.name:
        assert_says_all_of(json.loads(message.value), json.loads(now.value))
    names = {name for name, _ in now.headers}
    assert message.headers.keys() <= names


def assert_says_all_of(before: Any, now: Any) -> None:
    """Fields may have been added since, at any depth; what was there has the same value."""
    match before:
        case dict():
            assert before.keys() <= now.keys()
            for name in before:
                assert_says_all_of(before[name], now[name])
        case list():
            assert len(before) == len(now)
            for one, other in zip(before, now, strict=True):
                assert_says_all_of(one, other)
        case _:
            assert before == now


def without(message: TopicMessage, *names: str) -> TopicMessage:
    return replace(message, headers={name: value for name, value in message.headers.items() if name not in names})


def with_header(message: TopicMessage, name: str, value: str) -> TopicMessage:
    return replace(message, headers={**message.headers, name: value})


@pytest.mark.parametrize("name", sorted(OLD[ADDED_EVENT][1].headers.keys() - {"ce_position"}))
@pytest.mark.parametrize("alter", [without, lambda m, n: with_header(m, n, m.headers[n][:-1] + "%")])
def test_an_old_message_that_was_altered_is_refused(name: str, alter: Callable[[Any, str], TopicMessage]) -> None:
    event, message = OLD[ADDED_EVENT]
    (detail,) = details(event, alter(message, name))
    assert name in detail


# When a header was added: two releases later, one in each.


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> None:
    added = (
        Header("ce_region", {"type": "string"}, "Where.", since="0.2.0"),
        Header("ce_tenant", {"type": "string"}, "Whose.", since="0.10.0"),
    )
    monkeypatch.setattr(public_headers, "HEADERS", public_headers.HEADERS + added)
    monkeypatch.setattr(releases, "HEADERS", public_headers.HEADERS)
    sent_today = cloud_event.headers_of

    def headers_of(event: RecordedEvent, source: str, kind: PublicType) -> cloud_event.Headers:
        return [*sent_today(event, source, kind), ("ce_region", b"eu"), ("ce_tenant", b"t1")]

    monkeypatch.setattr(cloud_event, "headers_of", headers_of)


REGION, TENANT = ("ce_region", "eu"), ("ce_tenant", "t1")


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize("added", [[], [REGION], [REGION, TENANT]])
def test_a_message_of_any_release_verifies_after_headers_were_added(added: list[tuple[str, str]]) -> None:
    for event, message in OLD.values():
        assert details(event, replace(message, headers={**message.headers, **dict(added)})) == []


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize(
    ("added", "named"),
    [
        ([TENANT], "ce_region"),  # no release sent the later header without the earlier one
        ([("ce_region", "us")], "ce_region"),
        ([REGION, ("ce_tenant", "t2")], "ce_tenant"),
        ([REGION, TENANT, ("ce_later", "x")], "ce_later"),
        ([("ce_later", "x")], "ce_later"),
    ],
)
def test_headers_as_no_release_sent_them_are_refused(added: list[tuple[str, str]], named: str) -> None:
    event, message = OLD[ADDED_EVENT]
    (detail,) = details(event, replace(message, headers={**message.headers, **dict(added)}))
    assert named in detail


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize("name", ["ce_chainhash", "ce_type", "ce_sequence", "ce_datasha256"])
def test_a_header_of_the_time_may_not_be_missing_because_others_were_added(name: str) -> None:
    event, message = OLD[ADDED_EVENT]
    for told in (message, with_header(message, *REGION)):
        (detail,) = details(event, without(told, name))
        assert name in detail
        (detail,) = details(event, with_header(told, name, "0" * 19))
        assert name in detail


def test_a_header_of_a_later_release_is_refused_by_an_earlier_one() -> None:
    event, message = OLD[ADDED_EVENT]
    (detail,) = details(event, with_header(message, *REGION))
    assert "ce_region" in detail


# When an event that was opaque got a type of its own.


def test_a_message_from_when_its_event_was_opaque_verifies_after_it_got_a_type() -> None:
    stored = "seatledger.BillingProfile.InvoiceReopened"
    event, message = OLD[stored]
    kind = PublicType("seatledger.billing_profile.invoice_reopened.v1", DECLARED[ADDED_EVENT].model, "0.2.0")
    assert message.type == OPAQUE_TYPE.name
    assert details(event, message, **{stored: kind}) == []
    told = replace(message, headers={**message.headers, **{name: value.decode() for name, value in kind.headers}})
    assert details(event, told, **{stored: kind}) == []
    (detail,) = details(event, with_header(message, "ce_type", kind.name), **{stored: kind})
    assert "ce_dataschema" in detail


def test_a_message_may_not_be_opaque_where_its_event_never_was() -> None:
    event, message = OLD[ADDED_EVENT]
    opaque = replace(message, headers={**message.headers, **{n: v.decode() for n, v in OPAQUE_TYPE.headers}})
    (detail,) = details(event, opaque)
    assert "ce_type" in detail
