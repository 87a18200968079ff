"""A relay that takes over begins where the log says that the one before had come to."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from adapters.kafka.relay import resume
from adapters.kafka.relay_position import RelayPosition
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

    def chain_hash_at(self, position: int) -> bytes | None:
        self.asked.append(f"chain hash at {position}")
        return CHAIN_HASH

    def init_transactions(self) -> None:
        self.asked.append("fence")

    def read_position(self, *_: Any) -> RelayPosition:
        self.asked.append("read the position")
        return POSITION


def test_a_relay_goes_on_from_the_position_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr("adapters.kafka.relay.read_position", told.read_position)
    relay = resume(told, "nowhere:1", Topics(), told, Watchdog(60))
    assert relay.after == 41
    assert told.asked == ["fence", "read the position", "chain hash at 41"]  # first nobody else can write any more
