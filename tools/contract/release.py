"""What a release leaves behind: its contract, and a message of every kind as it published them. Written once, at it."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import editions, types_of
from domain.envelope import RecordedEvent
from tools.contract.event_contract import RELEASED, contract
from tools.contract.examples import HISTORY, SOURCE, example_events

ROOT = Path(__file__).parents[2]


def release() -> None:
    """Keeps the promises of the version in pyproject.toml; those of a release are never written again."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    kept, messages = RELEASED / f"{version}.json", HISTORY / f"messages-{version}.json"
    if kept.exists() or messages.exists():
        sys.exit(f"{version} is released, and what it promised stands; raise the version in pyproject.toml first")
    kept.parent.mkdir(parents=True, exist_ok=True)
    promised = {"release": version, **contract()}
    kept.write_text(json.dumps(promised, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ",\n  ".join(json.dumps(told, ensure_ascii=False) for told in recorded())
    text = f'{{\n "source": "{SOURCE}",\n "recorded": [\n  {lines}\n ]\n}}\n'
    messages.write_text(text, encoding="utf-8")
    print(f"{kept.relative_to(ROOT)}\n{messages.relative_to(ROOT)}")


def recorded() -> Iterator[dict[str, Any]]:
    """An event of each kind with its message, in every edition."""
    for edition in editions():
        for event in example_events().values():
            message = message_of(event, SOURCE, types_of(edition))
            yield {
                "edition": edition,
                "event": facts_of(event),
                "message": {
                    "key": message.key.decode(),
                    "timestamp_ms": message.timestamp_ms,
                    "headers": {name: value.decode() for name, value in message.headers},
                    "value": message.value.decode(),
                },
            }


def facts_of(event: RecordedEvent) -> dict[str, Any]:
    """What the ledger knows of an event, as JSON."""
    return {
        "originator_id": str(event.originator_id),
        "originator_version": event.originator_version,
        "topic": event.topic,
        "state": event.state.decode(),
        "organization_id": str(event.organization_id),
        "organization_seq": event.organization_seq,
        "position": event.position,
        "recorded_at": event.recorded_at,
        "metadata": event.metadata.decode(),
        "chain_hash": event.chain_hash.hex(),
    }
