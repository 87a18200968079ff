"""What goes out: every event of the domain was decided upon, by an allow-list, and nothing personal is in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as some
from kafka.partitioner.default import DefaultPartitioner
from pydantic import BaseModel

from adapters.kafka.cloud_event import event_id, message_of
from adapters.kafka.public_events import OPAQUE, OPAQUE_TYPE, PUBLIC_TYPES
from adapters.kafka.public_mapper import Unpublishable, public_content
from adapters.kafka.public_values import DECLARED, PublicEvent, public
from domain.envelope import Envelope, RecordedEvent
from domain.license_pool import LicensePool
from domain.personal import FactRef
from tests.tidy.topics import named_events, read

ORGANIZATION, STREAM, ACTOR, COMMAND = (UUID(int=number) for number in range(1, 5))
OCCURRED_AT = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
ENVELOPE = Envelope(
    actor_id=ACTOR,
    actor_role="purchaser",
    on_behalf_of=None,
    command="buy_subscription",
    command_id=COMMAND,
    step="",
    index=1,
    count=2,
    correlation_id=COMMAND,
    causation_id=None,
    occurred_at=OCCURRED_AT,
    effective_at=OCCURRED_AT + timedelta(days=1),
)
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
HOURS = some.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
MOMENTS = some.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=HOURS)  # noqa: DTZ001 - they get theirs
EVERY_STORED_STATE = [
    pytest.param(topic, state, id=f"{topic.removeprefix('seatledger.')}-{version}-{number}")
    for topic, versions in read().events.items()
    for version, states in versions.items()
    for number, state in enumerate(states)
]


def recorded(topic: str, state: dict[str, Any], envelope: Envelope = ENVELOPE) -> RecordedEvent:
    return RecordedEvent(
        STREAM,
        3,
        topic,
        json.dumps(state).encode(),
        organization_id=ORGANIZATION,
        organization_seq=7,
        position=48,
        recorded_at=1_738_315_800_123_456,
        metadata=envelope.model_dump_json().encode(),
        chain_hash=bytes(range(32)),
    )


def test_every_event_was_decided_upon() -> None:
    undecided = sorted(named_events().keys() - PUBLIC_TYPES.keys())
    assert not undecided, (
        "what others may know of these events is not decided; declare a model with the fields that go out in the"
        " adapters/kafka/public_*.py of its aggregate, or, if it means nothing to others, add the event to OPAQUE in"
        " adapters/kafka/public_events.py:\n" + "\n".join(undecided)
    )
    gone = sorted(PUBLIC_TYPES.keys() - named_events().keys())
    assert not gone, f"declared for others, but the domain has no such event: {gone}"


def test_no_event_is_both_public_and_opaque() -> None:
    assert not DECLARED.keys() & {told.TOPIC for told in OPAQUE}


@pytest.mark.parametrize("topic", sorted(DECLARED))
def test_a_public_name_is_the_stored_name_in_words_of_the_wire(topic: str) -> None:
    _, aggregate, event = (re.sub(r"(?<=[a-z])([A-Z])", r"_\1", part).lower() for part in topic.split("."))
    assert DECLARED[topic].name == f"seatledger.{aggregate}.{event}.v1"


@pytest.mark.parametrize(("topic", "state"), EVERY_STORED_STATE)
def test_whatever_is_stored_can_go_out_and_takes_nothing_personal_with_it(topic: str, state: dict[str, Any]) -> None:
    kind, value = public_content(recorded(topic, state))
    sent = json.loads(value)
    assert sent.keys() == kind.model.model_fields.keys()
    for reference in fact_references(state):
        assert reference["fact_id"] not in value.decode()
        assert reference["commitment"] not in value.decode()
    assert not fact_references(sent)


def fact_references(value: Any) -> list[dict[str, str]]:
    """Every reference to a personal fact in a stored state, however deep."""
    match value:
        case {"fact_id": str(), "commitment": str()}:
            return [value]
        case dict():
            return [found for inner in value.values() for found in fact_references(inner)]
        case list():
            return [found for inner in value for found in fact_references(inner)]
        case _:
            return []


def test_the_samples_do_hold_references_to_personal_facts() -> None:
    holding = {topic for topic, state in ((case.values) for case in EVERY_STORED_STATE) if fact_references(state)}
    assert {"seatledger.Member.MemberAdded", "seatledger.Subscription.SubscriptionCancelled"} <= holding


@pytest.mark.parametrize("topic", sorted(DECLARED))
def test_no_public_model_can_hold_a_personal_fact(topic: str) -> None:
    schema = json.dumps(DECLARED[topic].model.model_json_schema(mode="serialization"))
    assert not [name for name in FactRef.model_fields if f'"{name}"' in schema]
    personal = {"feedback", "details", "user_name", "display_name", "actor_id"}
    assert not personal & set(re.findall(r'"(\w+)":', schema))


def test_a_field_goes_out_because_it_is_declared_and_not_because_it_is_there() -> None:
    class Told(BaseModel):
        kind: str = "member"
        originator_id: UUID = STREAM
        added_yesterday: str = "secret"

    model = DECLARED["seatledger.Member.MemberAdded"].model
    assert model.model_validate(Told()).model_dump() == {"member_id": STREAM, "kind": "member"}


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        public("seatledger.license_pool.another.v1", of=LicensePool.LicenseAssigned)(PublicEvent)


def test_what_is_opaque_goes_out_as_a_place_without_content() -> None:
    details = {"details": {"user_name": {"fact_id": str(UUID(int=9)), "commitment": "ab" * 32}}}
    message = message_of(recorded("seatledger.Member.MemberDetailsChanged", details), "/seatledger/x/1")
    headers = {name: value.decode() for name, value in message.headers}
    assert message.value == b"{}"
    assert headers["ce_type"] == OPAQUE_TYPE.name == "seatledger.opaque.v1"
    assert (headers["ce_position"][-2:], headers["ce_sequence"][-2:]) == ("48", "07")


@pytest.mark.parametrize(
    ("topic", "state", "why"),
    [
        ("seatledger.Later.Thing", {}, "does not know its name"),
        ("seatledger.Member.MemberAdded", {"kind": "chris@contoso.com"}, "ValidationError"),
    ],
)
def test_what_cannot_be_published_is_named_by_position_and_its_content_is_not_told(
    topic: str, state: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unpublishable, match=f"position 48.*{why}") as refusal:
        message_of(recorded(topic, state), "/seatledger/x/1")
    assert "contoso" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_message_is_a_cloud_event_in_binary_mode() -> None:
    message = message_of(recorded("seatledger.Member.MemberRemoved", {}), "/seatledger/some-ledger/1")
    assert message.key == b"00000000-0000-0000-0000-000000000001"
    assert message.value == b'{"member_id":"00000000-0000-0000-0000-000000000002"}'
    assert message.timestamp_ms == 1_738_315_800_123
    assert {name: value.decode() for name, value in message.headers} == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "d044efb9-5a1b-584e-988a-9b59eb102f35",
        "ce_type": "seatledger.member.member_removed.v1",
        "ce_source": "/seatledger/some-ledger/1",
        "ce_subject": "00000000-0000-0000-0000-000000000002",
        "ce_time": "2025-01-31T09:30:00.000000Z",
        "ce_dataschema": "urn:seatledger:event:member.member_removed.v1",
        "ce_sequence": "0000000000000000007",
        "ce_position": "0000000000000000048",
        "ce_organizationid": "00000000-0000-0000-0000-000000000001",
        "ce_chainhash": bytes(range(32)).hex(),
        "ce_effectiveat": "2025-02-01T09:30:00.000000Z",
        "ce_actorrole": "purchaser",
        "ce_commandid": "00000000-0000-0000-0000-000000000004",
        "ce_commandindex": "1",
        "ce_commandcount": "2",
        "ce_correlationid": "00000000-0000-0000-0000-000000000004",
        "ce_datasha256": "48c8ffd75ccc094a88fb6d4c8e6949e0ee3c3e3eb6464e35b5076a033740d0cc",
    }


@given(some.uuids(), some.uuids(), some.integers(min_value=1))
def test_the_id_of_an_event_is_the_uuid5_of_where_it_stands(organization: UUID, stream: UUID, version: int) -> None:
    place = f"event:{stream}:{version}"
    assert event_id(organization, place.encode()).decode() == str(uuid5(organization, place))


@given(
    some.builds(
        Envelope,
        index=some.integers(min_value=0),
        count=some.integers(min_value=1),
        occurred_at=MOMENTS,
        effective_at=MOMENTS,
    )
)
def test_the_headers_say_what_the_envelope_says(envelope: Envelope) -> None:
    message = message_of(recorded("seatledger.Member.MemberRemoved", {}, envelope), "/x")
    headers = {name: value.decode() for name, value in message.headers}
    assert datetime.fromisoformat(headers["ce_time"]) == envelope.occurred_at
    assert datetime.fromisoformat(headers["ce_effectiveat"]) == envelope.effective_at
    assert all(re.fullmatch(RFC_3339, headers[name]) for name in ("ce_time", "ce_effectiveat"))
    assert headers["ce_actorrole"] == envelope.actor_role
    assert headers["ce_commandid"] == str(envelope.command_id)
    assert (headers["ce_commandindex"], headers["ce_commandcount"]) == (str(envelope.index), str(envelope.count))
    assert headers["ce_correlationid"] == str(envelope.correlation_id)
    assert headers.get("ce_causationid") == (str(envelope.causation_id) if envelope.causation_id else None)


@pytest.mark.parametrize("metadata", [b"", b"{}", b"[]", b'{"occurred_at":"yesterday by chris@contoso.com"}'])
def test_an_event_whose_envelope_cannot_be_read_is_named_by_position_and_its_content_is_not_told(
    metadata: bytes,
) -> None:
    event = replace(recorded("seatledger.Member.MemberRemoved", {}), metadata=metadata)
    with pytest.raises(Unpublishable, match=r"position 48.*envelope") as refusal:
        message_of(event, "/x")
    assert "contoso" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@given(some.uuids())
def test_an_organization_is_in_the_partition_where_every_client_looks_for_its_key(organization: UUID) -> None:
    event = replace(recorded("seatledger.Member.MemberRemoved", {}), organization_id=organization)
    message = message_of(event, "/x")
    broker = SimpleNamespace(
        topics=lambda: {"events"},
        partitions_for_topic=lambda _: set(range(12)),
        available_partitions_for_topic=lambda _: set(range(12)),
    )
    assert message.partition == DefaultPartitioner().partition("events", None, message.key, None, None, broker)


def test_names_of_attributes_are_as_the_specification_wants_them() -> None:
    caused = ENVELOPE.model_copy(update={"causation_id": ACTOR})
    names = [name for name, _ in message_of(recorded("seatledger.Member.MemberRemoved", {}, caused), "/x").headers]
    assert "ce_causationid" in names
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"content-type|ce_[a-z0-9]{1,20}", name) for name in names)


def test_times_are_told_in_utc() -> None:
    in_tokyo = OCCURRED_AT.astimezone(timezone(timedelta(hours=9)))
    envelope = ENVELOPE.model_copy(update={"occurred_at": in_tokyo})
    headers = dict(message_of(recorded("seatledger.Member.MemberRemoved", {}, envelope), "/x").headers)
    assert headers["ce_time"] == b"2025-01-31T09:30:00.000000Z"
