"""An example of the value of every type: what an event of its kind says today."""

from __future__ import annotations

import json
from typing import Any

from adapters.kafka.cloud_event import message_of
from adapters.kafka.public_events import editions, types_of
from adapters.kafka.skipped import placeholder_of
from tools.contract.examples import SOURCE, example_events


def example_messages() -> dict[str, tuple[dict[str, str], Any]]:
    """Headers and value by the name of the type, in every edition."""
    found: dict[str, tuple[dict[str, str], Any]] = {}
    for edition in editions():
        types = types_of(edition)
        events = list(example_events().values())
        for message in (*(message_of(event, SOURCE, types) for event in events), placeholder_of(events[0], SOURCE)):
            headers = {name: value.decode() for name, value in message.headers}
            found.setdefault(headers["ce_type"], (headers, json.loads(message.value)))
    return found


def example_values() -> dict[str, Any]:
    """The values alone."""
    return {name: value for name, (_, value) in example_messages().items()}
