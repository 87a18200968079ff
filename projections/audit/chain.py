"""The hash chain of an organization's history: the same preimage, byte for byte, as `ledger.link` in the database."""

import struct
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from domain.envelope import RecordedEvent

GENESIS_TAG = b"seatledger.genesis.1"
EVENT_TAG = b"seatledger.event.1"
# Tag, previous hash, organization, seq, position, originator, version, recorded_at; then the lengths of what follows:
# topic, metadata, state. Fixed lengths first, so that no two events have the same preimage.
HEAD = struct.Struct(f">{len(EVENT_TAG)}s32s16sqq16sqqiii")


def genesis(organization_id: UUID) -> bytes:
    """What the organization's first event is linked to."""
    return sha256(GENESIS_TAG + organization_id.bytes).digest()


def link(previous: bytes, event: RecordedEvent) -> bytes:
    """The hash of an event, linked to the `previous` one."""
    topic = event.topic.encode()
    head = HEAD.pack(
        EVENT_TAG,
        previous,
        event.organization_id.bytes,
        event.organization_seq,
        event.position,
        event.originator_id.bytes,
        event.originator_version,
        event.recorded_at,
        len(topic),
        len(event.metadata),
        len(event.state),
    )
    return sha256(head + topic + event.metadata + event.state).digest()


def first_break(organization_id: UUID, events: Iterable[RecordedEvent]) -> int | None:
    """The organization_seq of the first event that is missing, changed or out of order; None when all are as recorded.

    Takes the organization's whole history in order. What was cut off its end leaves no break: compare the last hash
    with one that was published.
    """
    previous = genesis(organization_id)
    for expected, event in enumerate(events, start=1):
        previous = link(previous, event)
        if event.organization_seq != expected or event.chain_hash != previous:
            return expected
    return None
