"""A leaf: the exact bytes of an event as the tree of the ledger binds them, with their place in history."""

import struct
from uuid import UUID

from domain.envelope import RecordedEvent
from projections.audit.merkle import leaf_hash

LEAF_TAG = b"seatledger.leaf.1"
# Tag, organization, seq, position, originator, version, recorded_at, chain hash; then the lengths of what follows:
# topic, metadata, state. Fixed lengths first, so that no two events have the same leaf.
HEAD = struct.Struct(f">{len(LEAF_TAG)}s16sqq16sqq32siii")


class LeafInvalid(ValueError):
    """Says that bytes are not a leaf."""


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


def event_in(leaf: bytes) -> RecordedEvent:
    """The event that `leaf_of` would make these bytes of, and no other; raises LeafInvalid."""
    if len(leaf) < HEAD.size or not leaf.startswith(LEAF_TAG):
        raise LeafInvalid("it does not begin as a leaf does")
    _, organization, seq, position, originator, version, recorded_at, chain, *lengths = HEAD.unpack_from(leaf)
    if min(lengths) < 0 or HEAD.size + sum(lengths) != len(leaf):
        raise LeafInvalid("its length is not what its head says")
    topic_ends = HEAD.size + lengths[0]
    metadata_ends = topic_ends + lengths[1]
    try:
        topic = leaf[HEAD.size : topic_ends].decode()
    except UnicodeDecodeError:
        raise LeafInvalid("the event's topic is not UTF-8") from None
    return RecordedEvent(
        UUID(bytes=originator),
        version,
        topic,
        leaf[metadata_ends:],
        organization_id=UUID(bytes=organization),
        organization_seq=seq,
        position=position,
        recorded_at=recorded_at,
        metadata=leaf[topic_ends:metadata_ends],
        chain_hash=chain,
    )


def hash_of(event: RecordedEvent) -> bytes:
    """The hash by which the tree knows an event."""
    return leaf_hash(leaf_of(event))
