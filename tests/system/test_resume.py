"""A relay that takes over begins where the log says that the one before had come to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from adapters.kafka.relay import resume
from adapters.kafka.relay_position import RelayPosition
from adapters.kafka.topic import TopicMessage
from adapters.kafka.topic_settings import Topics
from adapters.kafka.watchdog import Watchdog

CHAIN_HASH = bytes(range(32))
POSITION = RelayPosition(
    source="/seatledger/a/1", position=41, chain_hash=CHAIN_HASH.hex(), organization_id=str(uuid4()), organization_seq=7
)


class Told:
    """A producer and a history in one, which write down the order of what is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def source(self) -> str:
        return POSITION.source

    def earlier_sources(self) -> Collection[str]:
        return ()

    def chain_hashes_at(self, positions: Collection[int]) -> Mapping[int, bytes]:
        self.asked.append(f"chain hashes at {sorted(positions)}")
        return dict.fromkeys(positions, CHAIN_HASH)

    def init_transactions(self) -> None:
        self.asked.append("fence")

    def read_position(self, *_: Any) -> RelayPosition:
        self.asked.append("read the position")
        return POSITION

    def read_topic(self, *_: Any, **__: Any) -> Iterator[TopicMessage]:
        self.asked.append("read the end of the topic")
        headers = {"ce_source": POSITION.source, "ce_chainhash": POSITION.chain_hash}
        for position in (40, 41):
            yield TopicMessage(0, position, 0, None, b"", {**headers, "ce_position": str(position)})


def test_a_relay_goes_on_from_the_position_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr("adapters.kafka.relay.read_position", told.read_position)
    monkeypatch.setattr("adapters.kafka.relay.read_topic", told.read_topic)
    relay = resume(told, "nowhere:1", Topics(), told, Watchdog(60))
    assert relay.after == 41
    assert told.asked == [
        "fence",  # first nobody else can write any more
        "read the position",
        "chain hashes at [41]",
        "read the end of the topic",
        "chain hashes at [40, 41]",
    ]
