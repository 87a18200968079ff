"""Follow events: what happened in all organizations, in order, for the services of the house."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import Field

from domain.envelope import RecordedEvent
from domain.kernel import Value
from services.command import Actor
from services.may import may

MOST = 1_000  # events at a time


class Seen(NamedTuple):
    """How far a feed saw history settled. Where a later look is greater, there may be more; else there is not."""

    beginning: int  # which one: a feed that lost its connection begins anew
    settled: int


class Followed(NamedTuple):
    events: Sequence[RecordedEvent]
    seen: Seen
    source: str = ""  # which history they are of: positions of two cannot be compared
    skips: Mapping[int, bytes] = {}  # those of them in whose place a placeholder is told, with their chain hashes


class Feed(Protocol):
    """History over all organizations, as far as it is settled: nothing can still appear before what it hands out."""

    def after(self, position: int, limit: int) -> Followed:
        """The next settled events after a position, which need not be that of an event; raises LedgerUnavailable."""


class FollowEvents(Value):
    """`after` is the position to go on from: that of the last event that was handed out, or 0."""

    actor: Actor
    after: int = Field(ge=0, lt=2**63)
    limit: int = Field(ge=1, le=MOST)


def follow_events(feed: Feed, query: FollowEvents) -> Followed:
    """Each once and in order, for who goes on from the last one."""
    may(query.actor, "follow events")
    return feed.after(query.after, query.limit)
