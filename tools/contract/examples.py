"""One recorded event of each kind: from a recorded history where it has one, else made of a stored sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.envelope import RecordedEvent

HISTORY = Path(__file__).parents[2] / "tests" / "history"
SOURCE = "/seatledger/1f0c2a8e-7a55-5d0e-9a53-0d6a4c1be7f2/1"
ORGANIZATION = UUID("36590b82-d462-5130-8115-abcc44fd1d1e")
RECORDED_AT = 1_795_649_053_818_501
ENVELOPE = {
    "actor_id": "00000000-0000-4000-8000-000000000091",
    "actor_role": "purchaser",
    "on_behalf_of": None,
    "command": "sample",
    "command_id": "7c0f5f0e-6a53-5d7c-8c35-6d0e8a3c5b11",
    "step": "",
    "index": 0,
    "count": 1,
    "correlation_id": "7c0f5f0e-6a53-5d7c-8c35-6d0e8a3c5b11",
    "causation_id": "9a1b2c3d-4e5f-5a6b-8c7d-0e1f2a3b4c5d",
    "occurred_at": "2026-11-25T09:30:00Z",
    "effective_at": "2026-11-25T09:30:00Z",
}
SAID: dict[str, Any] = {  # in the place of a sample's placeholders, which are the names of their fields
    "currency": "EUR",
    "currency_exponent": 2,
    "country": "DE",
    "country_before": "AT",
    "product_id": "CFQ7TTC0H9MP-3aed4d09-6d81-4b05-98bc-2c7880854f83",
    "name": "Power BI Pro",
    "sku_part_number": "POWER_BI_PRO",
    "unit_price_minor": 1399,
    "maximum": 10_000,
    "rule": "daily-half-up.v1",
    "handle": "contoso",
}


def example_events() -> dict[str, RecordedEvent]:
    """An event of each kind by its stored name, in the order of the names; the same at every call."""
    samples = dict(_sampled())
    return dict(sorted((samples | _lived()).items()))


@cache
def _lived() -> dict[str, RecordedEvent]:
    """The first of each kind in the recorded history of the first release."""
    recorded = json.loads((HISTORY / "0.1.0.json").read_text(encoding="utf-8"))
    first: dict[str, RecordedEvent] = {}
    for told in recorded["events"]:
        if told["topic"] not in first:
            first[told["topic"]] = RecordedEvent(
                UUID(told["stream"]),
                told["version"],
                told["topic"],
                dumped(told["state"]),
                organization_id=UUID(recorded["organization_id"]),
                organization_seq=told["seq"],
                position=told["position"],
                recorded_at=told["recorded_at"],
                metadata=dumped(told["metadata"]),
                chain_hash=sha256(b"%d" % told["position"]).digest(),
            )
    return first


def _sampled() -> Iterator[tuple[str, RecordedEvent]]:
    """The first stored sample of each event's newest version, as if it stood after all that was lived."""
    stored = json.loads((HISTORY / "topics.json").read_text(encoding="utf-8"))["events"]
    for number, (topic, versions) in enumerate(sorted(stored.items()), start=1001):
        newest = max(versions, key=int)
        state = spoken(versions[newest][0])
        yield (
            topic,
            RecordedEvent(
                ORGANIZATION if topic.startswith("seatledger.Organization.") else uuid5(NAMESPACE_OID, topic),
                1,
                topic,
                dumped(state),
                organization_id=ORGANIZATION,
                organization_seq=number,
                position=number,
                recorded_at=RECORDED_AT,
                metadata=dumped(ENVELOPE),
                chain_hash=sha256(b"%d" % number).digest(),
            ),
        )


def spoken(value: Any) -> Any:
    """A sample with words in the place of its placeholders."""
    match value:
        case dict():
            return {
                name: SAID[name] if name in SAID and isinstance(inner, str | int) else spoken(inner)
                for name, inner in value.items()
            }
        case list():
            return [spoken(inner) for inner in value]
        case _:
            return value


def dumped(content: Any) -> bytes:
    """JSON as it is stored."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
