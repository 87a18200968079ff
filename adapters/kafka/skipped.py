"""The placeholder of an event that cannot go out: same id, position and sequence, without what happened.

It goes out where an operator has recorded it for exactly this event (`seatledger relay skip`), from then on for ever,
whatever later versions could say of the event: the topic, the feed and every consumer tell the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from uuid import UUID

from adapters.kafka.cloud_event import DATA_HASH, Headers, Message, headers_of, key_of, partition_of, timestamp_of
from adapters.kafka.public_events import SKIPPED_TYPE
from adapters.kafka.public_mapper import EMPTY, Unpublishable
from domain.envelope import RecordedEvent

NOBODY = str(UUID(int=0))

Skips = Mapping[int, bytes]
"""The events that are skipped, by position, each with its chain hash: in another history there may be another one."""

NONE: Skips = MappingProxyType({})


def is_skipped(event: RecordedEvent, skips: Skips) -> bool:
    """Whether it was decided of this very event."""
    return skips.get(event.position) == event.chain_hash


def placeholder_of(event: RecordedEvent, source: str) -> Message:
    """What goes out in the place of an event that is skipped."""
    headers = [*placeholder_headers(event, source), (DATA_HASH, sha256(EMPTY).hexdigest().encode())]
    key = key_of(event.organization_id)
    return Message(key, EMPTY, headers, timestamp_of(event), partition_of(key))


def placeholder_headers(event: RecordedEvent, source: str) -> Headers:
    """Those of every message; where the envelope cannot be read, nobody and the time of recording stand for it."""
    try:
        return headers_of(event, source, SKIPPED_TYPE)
    except Unpublishable:
        at = event.recorded_time.isoformat()
        nothing = {
            **dict.fromkeys(("occurred_at", "effective_at"), at),
            **dict.fromkeys(("command_id", "correlation_id"), NOBODY),
            "actor_role": "unknown",
            "index": 0,
            "count": 1,
            "causation_id": None,
        }
        return headers_of(replace(event, metadata=json.dumps(nothing).encode()), source, SKIPPED_TYPE)
