"""The chain: the same bytes in SQL, in Python and spelled out here, and one changed byte is found where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.envelope import RecordedEvent
from projections.audit.chain import first_break, genesis, link
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_pool, save
from tests.examples import THE_SAME_DAY, resized_to

VECTORS = json.loads((Path(__file__).parents[2] / "history" / "chain_vectors.json").read_text("utf-8"))
ORGANIZATION_ID = UUID(VECTORS["organization_id"])


def vectors() -> list[RecordedEvent]:
    return [
        RecordedEvent(
            originator_id=UUID(vector["originator_id"]),
            originator_version=vector["originator_version"],
            topic=vector["topic"],
            state=bytes.fromhex(vector["state"]),
            organization_id=ORGANIZATION_ID,
            organization_seq=vector["organization_seq"],
            position=vector["position"],
            recorded_at=vector["recorded_at"],
            metadata=bytes.fromhex(vector["metadata"]),
            chain_hash=bytes.fromhex(vector["chain_hash"]),
        )
        for vector in VECTORS["events"]
    ]


def spelled_out(previous: bytes, event: RecordedEvent) -> bytes:
    """The preimage as the decision record says it, without the code under test."""
    topic = event.topic.encode("utf-8")
    return sha256(
        b"seatledger.event.1"
        + previous
        + event.organization_id.bytes
        + event.organization_seq.to_bytes(8, "big")
        + event.position.to_bytes(8, "big")
        + UUID(str(event.originator_id)).bytes
        + event.originator_version.to_bytes(8, "big")
        + event.recorded_at.to_bytes(8, "big")
        + len(topic).to_bytes(4, "big")
        + len(event.metadata).to_bytes(4, "big")
        + len(event.state).to_bytes(4, "big")
        + topic
        + event.metadata
        + event.state
    ).digest()


def test_the_vectors_hold_in_python_and_spelled_out() -> None:
    previous = genesis(ORGANIZATION_ID)
    assert previous.hex() == VECTORS["genesis"]
    assert previous == sha256(b"seatledger.genesis.1" + ORGANIZATION_ID.bytes).digest()
    for event in vectors():
        assert link(previous, event) == spelled_out(previous, event) == event.chain_hash
        previous = event.chain_hash
    assert first_break(ORGANIZATION_ID, vectors()) is None


def test_the_vectors_hold_in_the_database(shared: str) -> None:
    with psycopg.connect(shared) as connection:
        (previous,) = connection.execute("SELECT ledger.genesis(%s)", (ORGANIZATION_ID,)).fetchone() or (b"",)
        assert previous.hex() == VECTORS["genesis"]
        for event in vectors():
            (previous,) = connection.execute(
                "SELECT ledger.link(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    previous,
                    event.organization_id,
                    event.organization_seq,
                    event.position,
                    event.originator_id,
                    event.originator_version,
                    event.recorded_at,
                    event.topic.encode(),
                    event.metadata,
                    event.state,
                ),
            ).fetchone() or (b"",)
            assert previous == event.chain_hash


def history(ledger: Ledger) -> list[RecordedEvent]:
    """Saves of one and of two events."""
    organization_id = uuid4()
    for total in (5, 6, 7, 8):
        pool = a_pool()
        resized_to(total, THE_SAME_DAY)(pool)
        save(ledger, pool, organization_id=organization_id)
    return ledger.history.told(organization_id, after=0, until=100)


def test_what_the_append_wrote_is_what_python_computes(ledger: Ledger) -> None:
    events = history(ledger)
    assert len(events) == 7
    assert first_break(events[0].organization_id, events) is None
    assert first_break(uuid4(), events) == 1  # another organization's history is not this one's


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("state", "set_byte(state, 3, get_byte(state, 3) # 1)"),
        ("metadata", "set_byte(metadata, 9, get_byte(metadata, 9) # 1)"),
        ("topic", "topic || 'x'"),
        ("recorded_at", "recorded_at + 1"),
        ("position", "position + 1000"),
        ("originator_id", "gen_random_uuid()"),
        ("originator_version", "originator_version + 1000"),
        ("chain_hash", "sha256(chain_hash)"),
    ],
)
def test_a_changed_column_is_found_where_it_was_changed(ledger: Ledger, admin: Admin, column: str, change: str) -> None:
    organization_id = history(ledger)[0].organization_id
    admin.execute("ALTER TABLE ledger.events DISABLE TRIGGER only_grows")
    admin.execute(f"UPDATE ledger.events SET {column} = {change} WHERE organization_seq = 5")  # noqa: S608 - own words
    assert first_break(organization_id, ledger.history.told(organization_id, after=0, until=100)) == 5


def test_a_missing_a_swapped_and_an_invented_event_are_found(ledger: Ledger) -> None:
    events: list[Any] = history(ledger)
    organization_id = events[0].organization_id
    assert first_break(organization_id, events[:3] + events[4:]) == 4
    assert first_break(organization_id, events[1:]) == 1
    assert first_break(organization_id, [*events[:2], events[3], events[2], *events[4:]]) == 3
    invented = replace(events[-1], organization_seq=8, chain_hash=link(events[-2].chain_hash, events[-1]))
    assert first_break(organization_id, [*events, invented]) == 8
    assert first_break(organization_id, events[:-1]) is None  # what is cut off the end is seen from outside only
