"""What the kit asks of a source of events, whichever it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from adapters.kafka.topic_settings import EVENTS
from adapters.kit.event import Event

PARTITIONS = EVENTS.partitions
"""Places are kept by these, also of a source that has no partitions: what was read there goes on here."""

Share: TypeAlias = tuple[int, ...]
"""Partitions that are read together, in order: of Kafka each by itself, of the feed all."""


class Place(NamedTuple):
    """How far a partition was carried out. All up to `position` is done; what is behind it is not."""

    position: int = 0
    started_after: int = 0  # up to here nothing was read; 0: from the beginning
    offset: int | None = None  # of a message of the topic that was read, or with which a replay begins
    offset_position: int | None = None  # the position of that message: whether the topic is still the same


class Record(Protocol):
    """What a source hands out, before it is known whether it is an event."""

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int | None: ...

    @property
    def size(self) -> int: ...

    def position(self) -> int:
        """Found without reading the rest; raises MessageRefused."""

    def event(self) -> Event:
        """Raises MessageRefused."""


class Shares(Protocol):
    """Who carries out what a source hands out."""

    def join(self, share: Share) -> None:
        """The share is this consumer's; it is not read before it is sought."""

    def leave(self, shares: Collection[Share]) -> None:
        """These are about to be another's: what is being carried out ends, the rest is dropped."""


class Reader(Protocol):
    """A source that is read, by one thread. Calls `join` and `leave` only within `poll` and `close`."""

    def poll(self, wait_s: float) -> Iterable[Record]:
        """What came next in the shares that were sought and are not paused; raises Later and Stop."""

    def seek(self, share: Share, places: Mapping[int, Place]) -> None:
        """Reads on from these places: all that is behind them, and perhaps some before."""

    def pause(self, share: Share) -> None: ...

    def resume(self, share: Share) -> None: ...

    @property
    def at_head(self) -> bool:
        """Whether the last poll came to the end of what there was."""

    def lag(self) -> Mapping[int, int]:
        """So many messages of each partition were not read yet, where the source says so."""

    def close(self) -> None: ...


class Source(Protocol):
    """Where events come from."""

    def open(self, consumer: str, shares: Shares) -> Reader:
        """Raises Later and Stop."""

    def places_at(self, moment: datetime) -> Mapping[int, Place]:
        """Places before all that was recorded at this moment or later; raises Stop where the source cannot tell."""
