"""A leaf: the exact bytes of an event as the tree of the ledger binds them, with their place in history."""

import struct

from domain.envelope import RecordedEvent
from projections.audit.merkle import leaf_hash

LEAF_TAG = b"seatledger.leaf.1"
# Tag, organization, seq, position, originator, version, recorded_at, chain hash; then the lengths of what follows:
# topic, metadata, state. Fixed lengths first, so that no two events have the same leaf.
HEAD = struct.Struct(f">{len(LEAF_TAG)}s16sqq16sqq32siii")


def leaf_of(event: RecordedEvent) -> bytes:
    topic = event.topic.encode()
    head = HEAD.pack(
        LEAF_TAG,
        event.organization_id.bytes,
        event.organization_seq,
        event.position,
        event.originator_id.bytes,
        event.originator_version,
        event.recorded_at,
        event.chain_hash,
        len(topic),
        len(event.metadata),
        len(event.state),
    )
    return head + topic + event.metadata + event.state


def hash_of(event: RecordedEvent) -> bytes:
    """The hash by which the tree knows an event."""
    return leaf_hash(leaf_of(event))
