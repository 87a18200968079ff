"""A new version of an event goes into a new edition of the topic; whoever reads the old one sees no difference."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from pydantic import BeforeValidator, Field

from adapters.kafka.batch import translate
from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import NoSuchEdition, editions, types_of
from adapters.kafka.public_values import DECLARED, LATER, Own, PublicEvent, public
from adapters.kafka.topic import TopicMessage, read_topic
from adapters.kafka.topic_audit import compare_topic
from adapters.kafka.topic_settings import Topics
from adapters.postgres.relay_session import RelaySession
from adapters.workers.relay import Ending, RelaySettings, run
from domain.member import Member
from tests.adapters.kafka.conftest import PATIENCE_S, Relayed, until
from tests.adapters.kafka.test_public_events import recorded

V1, V2 = "seatledger.member.member_added.v1", "seatledger.member.member_added.v2"
GUEST = {"originator_topic": "x", "kind": "guest", "details": {}}


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a developer declares it: a model beside the first one, which stays."""
    monkeypatch.setitem(LATER, 2, {})

    @public(V2, of=Member.MemberAdded, edition=2)
    class MemberAddedWithin(PublicEvent):
        """Says whether it is a guest, in the place of a word."""

        member_id: Annotated[UUID, Own]
        guest: Annotated[bool, Field(validation_alias="kind"), BeforeValidator(lambda kind: kind == "guest")]


@pytest.mark.usefixtures("second")
def test_an_edition_calls_anew_what_it_declares_and_keeps_the_rest() -> None:
    assert editions() == [1, 2]
    first, later = types_of(1), types_of(2)
    assert first.keys() == later.keys()
    assert {stored for stored in first if first[stored] != later[stored]} == {"seatledger.Member.MemberAdded"}
    event = recorded("seatledger.Member.MemberAdded", GUEST)
    before, after = message_of(event, "/x"), message_of(event, "/x", later)
    assert json.loads(before.value)["kind"] == "guest"
    assert json.loads(after.value)["guest"] is True
    told, told_anew = dict(before.headers), dict(after.headers)
    assert {name for name in told if told[name] != told_anew[name]} == {"ce_type", "ce_dataschema", "ce_datasha256"}
    assert told_anew["ce_dataschema"] == b"urn:seatledger:event:member.member_added.v2"


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize(("edition", "name"), [(1, V1), (2, V2)])
def test_a_batch_is_of_one_edition_and_so_is_its_position(edition: int, name: str) -> None:
    batch = translate([recorded("seatledger.Member.MemberAdded", GUEST)], "/x", edition)
    assert dict(batch.messages[0].headers)["ce_type"].decode() == name
    assert batch.position
    assert batch.position.edition == edition


@pytest.mark.usefixtures("second")
def test_a_version_is_declared_once_in_all_editions() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        public(V1, of=Member.MemberRemoved, edition=3)(PublicEvent)


def test_there_is_no_edition_that_nobody_declared() -> None:
    assert editions() == [1]
    with pytest.raises(NoSuchEdition, match="no edition 2"):
        types_of(2)


def test_each_edition_has_topics_of_its_own() -> None:
    assert Topics.of(1) == Topics()
    assert Topics.of(2) == Topics("seatledger.events.v2", "seatledger.relay.position.v2", 2)


def relay(here: Relayed, topics: Topics) -> Ending:
    """The real relay, until everything is published to these topics."""
    stop = threading.Event()
    endings: list[Ending] = []
    settings = RelaySettings(here.url, here.bootstrap, topics, batch=50, standby_s=0.1, show_s=0)
    thread = threading.Thread(target=lambda: endings.append(run(settings, stop)))
    thread.start()
    until(lambda: endings or shown(here, topics) == here.last)
    stop.set()
    thread.join(PATIENCE_S)
    return endings[0]


def shown(here: Relayed, topics: Topics) -> int:
    """How far people see these topics published."""
    return here.count(f"SELECT coalesce(max(position), 0) FROM relay.position WHERE topic = '{topics.events}'")  # noqa: S608


def read(here: Relayed, topics: Topics) -> list[TopicMessage]:
    return list(read_topic(here.bootstrap, topics.events))


def differences(here: Relayed, topics: Topics) -> list[Any]:
    with RelaySession(here.url, topics.events) as session:
        return list(compare_topic(here.bootstrap, topics, session))


def assert_no_gap(messages: Sequence[TopicMessage]) -> None:
    """Of every organization 1, 2, 3, …, in order of position."""
    sequences = defaultdict(list)
    for message in messages:
        sequences[message.headers["ce_organizationid"]].append(int(message.headers["ce_sequence"]))
    for found in sequences.values():
        assert found == list(range(1, len(found) + 1))


def test_readers_of_the_old_version_and_of_the_new_one_each_see_everything_without_a_gap(
    here: Relayed, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    name = uuid4().hex
    first = Topics(f"events.{name}.v1", f"position.{name}.v1")
    later = Topics(f"events.{name}.v2", f"position.{name}.v2", 2)

    here.write(members=30, saves=3)
    assert relay(here, first) is Ending.STOPPED
    before = read(here, first)

    # A release later there is a second edition; both are relayed, side by side, while the ledger is written.
    request.getfixturevalue("second")
    endings: list[Ending] = []
    with here.being_written():
        beside = threading.Thread(target=lambda: endings.append(relay(here, later)))
        beside.start()
        here.write(members=30, saves=3)
        until(lambda: shown(here, later))
    beside.join(PATIENCE_S)
    assert [relay(here, first), relay(here, later), *endings] == [Ending.STOPPED] * 3

    old, new = read(here, first), read(here, later)
    assert old[: len(before)] == before
    for messages, own, other in ((old, V1, V2), (new, V2, V1)):
        assert len(messages) == here.count("SELECT count(*) FROM ledger.events")
        assert_no_gap(messages)
        assert [m for m in messages if m.type == own]
        assert not [m for m in messages if m.type == other]
    assert {frozenset(json.loads(m.value)) for m in new if m.type == V2} == {frozenset({"member_id", "guest"})}
    assert {frozenset(json.loads(m.value)) for m in old if m.type == V1} == {frozenset({"member_id", "kind"})}

    # The same events: a reader goes over at any position, and misses and repeats nothing.
    assert [m.headers["ce_id"] for m in old] == [m.headers["ce_id"] for m in new]
    half = old[len(old) // 2].position
    assert_no_gap([*(m for m in old if m.position <= half), *(m for m in new if m.position > half)])

    # Each is what the ledger tells in its edition, and is not taken for the other.
    assert differences(here, first) == differences(here, later) == []
    here.write(members=1)
    assert relay(here, Topics(first.events, first.position, edition=2)) is Ending.HALTED
    assert relay(here, Topics(later.events, later.position, edition=1)) is Ending.HALTED
    assert read(here, first) == old

    # A release without the second edition goes on with the first, and halts before the second.
    monkeypatch.delitem(LATER, 2)
    assert relay(here, later) is Ending.HALTED
    assert relay(here, first) is Ending.STOPPED
    assert DECLARED["seatledger.Member.MemberAdded"].name == V1
