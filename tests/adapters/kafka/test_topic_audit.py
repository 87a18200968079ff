"""Each way in which a topic can differ from the ledger is named, by position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.topic import TopicMessage
from adapters.kafka.topic_audit import compare
from domain.envelope import RecordedEvent
from tests.adapters.kafka.test_public_events import recorded

SOURCE = "/seatledger/some-ledger/1"
EVENTS = [
    replace(
        recorded("seatledger.Member.MemberAdded", {"originator_topic": "x", "kind": "member", "details": {}}),
        position=10 * number,
        organization_seq=number,
        originator_version=number,
    )
    for number in range(1, 6)
]


def as_read(event: RecordedEvent, sent: Message | None = None) -> TopicMessage:
    sent = sent or message_of(event, SOURCE)
    headers = {name: value.decode() for name, value in sent.headers}
    return TopicMessage(0, event.position, sent.timestamp_ms, sent.key, sent.value, headers)


MESSAGES = [as_read(event) for event in EVENTS]


def with_header(message: TopicMessage, name: str, value: str) -> TopicMessage:
    return replace(message, headers={**message.headers, name: value})


def differences(messages: Sequence[TopicMessage]) -> list[tuple[int, str]]:
    return [(found.position, found.what) for found in compare(messages, EVENTS, SOURCE)]


def test_a_topic_that_tells_the_same_has_no_difference() -> None:
    assert differences(MESSAGES) == []


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([*MESSAGES[:2], *MESSAGES[3:]], [(30, "missing")]),
        (MESSAGES[:3], [(40, "missing"), (50, "missing")]),
        ([], [(10, "missing"), (20, "missing"), (30, "missing"), (40, "missing"), (50, "missing")]),
        ([*MESSAGES[:2], MESSAGES[1], *MESSAGES[2:]], [(20, "doubled")]),
        ([MESSAGES[0], *MESSAGES], [(10, "doubled")]),
        ([MESSAGES[0], MESSAGES[2], MESSAGES[1], *MESSAGES[3:]], [(20, "out of order")]),
        ([*MESSAGES, with_header(MESSAGES[4], "ce_position", "60")], [(60, "extra")]),
        ([with_header(MESSAGES[0], "ce_position", "7"), *MESSAGES], [(7, "extra")]),
        ([with_header(MESSAGES[0], "ce_position", "none"), *MESSAGES], [(0, "extra")]),
        ([with_header(MESSAGES[0], "ce_position", "11"), *MESSAGES[1:]], [(11, "extra"), (10, "missing")]),
    ],
)
def test_what_is_missing_extra_doubled_or_out_of_order_is_named(
    messages: Sequence[TopicMessage], named: list[tuple[int, str]]
) -> None:
    assert differences(messages) == named


@pytest.mark.parametrize("name", sorted(MESSAGES[2].headers.keys() - {"ce_position"}))
def test_one_altered_header_is_found_and_named(name: str) -> None:
    altered = with_header(MESSAGES[2], name, MESSAGES[2].headers[name][:-1] + "%")
    (found,) = compare([*MESSAGES[:2], altered, *MESSAGES[3:]], EVENTS, SOURCE)
    assert (found.position, found.what) == (30, "altered")
    assert name in found.detail


@pytest.mark.parametrize(
    ("alter", "named"),
    [
        (lambda message: replace(message, value=message.value.replace(b"member", b"number")), "value"),
        (lambda message: replace(message, key=b"another"), "key"),
        (lambda message: replace(message, timestamp_ms=message.timestamp_ms + 1), "timestamp"),
        (lambda message: with_header(message, "ce_added", "x"), "ce_added"),
        (
            lambda message: replace(
                message, headers={name: value for name, value in message.headers.items() if name != "ce_chainhash"}
            ),
            "ce_chainhash",
        ),
    ],
)
def test_anything_else_altered_in_a_message_is_found_and_named(
    alter: Callable[[TopicMessage], TopicMessage], named: str
) -> None:
    (found,) = compare([*MESSAGES[:4], alter(MESSAGES[4])], EVENTS, SOURCE)
    assert (found.position, found.what) == (50, "altered")
    assert named in found.detail


def test_an_event_that_was_altered_in_the_ledger_afterwards_is_found_by_its_message() -> None:
    altered = [*EVENTS[:2], replace(EVENTS[2], chain_hash=bytes(32)), *EVENTS[3:]]
    (found,) = compare(MESSAGES, altered, SOURCE)
    assert (found.position, found.what) == (30, "altered")
    assert "ce_chainhash" in found.detail
