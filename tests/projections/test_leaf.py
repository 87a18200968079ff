"""A leaf binds everything that is stored of an event, and no two events have the same one."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.envelope import RecordedEvent
from projections.audit.leaf import LeafInvalid, event_in, hash_of, leaf_of
from tests.examples import an_id

SEEN = RecordedEvent(
    originator_id=an_id(2),
    originator_version=7,
    topic="seatledger.LicensePool.LicensesResized",
    state=b'{"total":5}',
    organization_id=an_id(1),
    organization_seq=12,
    position=345,
    recorded_at=1_700_000_000_000_000,
    metadata=b"{}",
    chain_hash=sha256(b"of the chain").digest(),
)
NUMBER, BYTES = st.integers(1, 2**63 - 1), st.binary(max_size=20)
EVENTS = st.builds(
    RecordedEvent,
    st.uuids(),
    NUMBER,
    st.text(max_size=10),
    BYTES,
    organization_id=st.uuids(),
    organization_seq=NUMBER,
    position=NUMBER,
    recorded_at=NUMBER,
    metadata=BYTES,
    chain_hash=st.binary(min_size=32, max_size=32),
)


def test_its_bytes_as_the_page_of_proofs_says_them() -> None:
    topic = SEEN.topic.encode()
    assert leaf_of(SEEN) == (
        b"seatledger.leaf.1"
        + SEEN.organization_id.bytes
        + (12).to_bytes(8, "big")
        + (345).to_bytes(8, "big")
        + an_id(2).bytes
        + (7).to_bytes(8, "big")
        + SEEN.recorded_at.to_bytes(8, "big")
        + SEEN.chain_hash
        + len(topic).to_bytes(4, "big")
        + (2).to_bytes(4, "big")
        + len(SEEN.state).to_bytes(4, "big")
        + topic
        + b"{}"
        + SEEN.state
    )
    assert hash_of(SEEN) == sha256(b"\x00" + leaf_of(SEEN)).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"organization_id": an_id(3)},
        {"organization_seq": 13},
        {"position": 346},
        {"originator_id": an_id(3)},
        {"originator_version": 8},
        {"recorded_at": 1_700_000_000_000_001},
        {"topic": "seatledger.LicensePool.LicensesResize"},
        {"metadata": b"{ }"},
        {"state": b'{"total":6}'},
        {"chain_hash": sha256().digest()},
        # What moves from one field into the next.
        {"topic": SEEN.topic + "{", "metadata": b"}"},
        {"metadata": b'{}{"total"', "state": b":5}"},
    ],
)
def test_whatever_changes_changes_the_leaf(change: dict[str, Any]) -> None:
    assert hash_of(replace(SEEN, **change)) != hash_of(SEEN)


@given(EVENTS, EVENTS)
def test_two_events_have_two_leaves(one: RecordedEvent, other: RecordedEvent) -> None:
    assert (leaf_of(one) == leaf_of(other)) == (one == other)


@given(EVENTS)
def test_a_leaf_is_read_as_the_event_that_it_was_made_of(event: RecordedEvent) -> None:
    assert event_in(leaf_of(event)) == event


@given(st.binary(max_size=30) | EVENTS.map(leaf_of), st.data())
def test_whatever_is_no_leaf_is_refused(found: bytes, chosen: st.DataObject) -> None:
    cut = found[: chosen.draw(st.integers(0, len(found)))] + chosen.draw(st.binary(max_size=3))
    try:
        event = event_in(cut)
    except LeafInvalid:
        return
    assert leaf_of(event) == cut
