"""How far the relay has come: kept in the log itself, in the same transaction as the events it speaks of."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing, suppress

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.kafka.topic import TopicMessage, read_topic
from adapters.kafka.topic_settings import Topics
from domain.envelope import RecordedEvent


class PositionLost(Exception):
    """Says why it cannot be known how far the relay has come."""


class RelayPosition(BaseModel):
    """The last event that was published, named so that the ledger can tell whether it is the same history."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: str
    position: int
    chain_hash: str  # in hexadecimal digits
    organization_id: str
    organization_seq: int
    edition: int = 1  # of the events in the topic

    @classmethod
    def of(cls, event: RecordedEvent, source: str, edition: int = 1) -> RelayPosition:
        """The position after this event."""
        return cls(
            source=source,
            position=event.position,
            chain_hash=event.chain_hash.hex(),
            organization_id=str(event.organization_id),
            organization_seq=event.organization_seq,
            edition=edition,
        )


def read_position(bootstrap: str, topics: Topics, source: str, earlier: Collection[str] = ()) -> RelayPosition | None:
    """The last committed position; None only when no event of this source was ever published. Raises PositionLost.

    `earlier` are the sources that this ledger was before its forks: what the topic has of them stays there, and the
    whole history goes out again behind it.

    Every record is read: what a relay of today skips to save time, another would publish again.
    """
    last: TopicMessage | None = None
    for record in read_topic(bootstrap, topics.position):
        if last is None or record.offset > last.offset:
            last = record
    if last is None:
        with closing(read_topic(bootstrap, topics.events)) as events:
            is_empty = next(events, None) is None
        if not is_empty:
            raise PositionLost(
                f"{topics.events} has events and {topics.position} has no position: it was deleted or another one was"
                " configured; restore it, or publish to a new topic"
            )
        return None
    try:
        position = RelayPosition.model_validate_json(last.value)
    except ValidationError:
        raise PositionLost(f"{topics.position} {last.place} is no position; remove what else writes to it") from None
    if position.edition != topics.edition:
        raise PositionLost(
            f"{topics.events} has edition {position.edition} of the events, not {topics.edition}, and whoever reads it"
            " was promised that; publish to a topic of this edition"
        )
    if position.source in earlier:
        return None
    if position.source != source:
        raise PositionLost(
            f"{topics.events} has the events of {position.source}, and this ledger is {source}:"
            f" {what_to_do(position.source, source)}"
        )
    return position


def what_to_do(published: str, source: str) -> str:
    """When a topic has the events of another source."""
    if published.rpartition("/")[0] != source.rpartition("/")[0]:
        return "it is another ledger; publish to a new topic"
    return (
        "it was restored from before a fork, or its epoch was changed by hand; `seatledger ledger fork` gives it an"
        " epoch of its own"
    )


def epochs_in(bootstrap: str, topics: Topics, ledger_id: str) -> set[int]:
    """The epochs of a ledger that the position topic names: a new one must come after all of them."""
    found = set()
    for record in read_topic(bootstrap, topics.position):
        with suppress(ValidationError):
            ledger, _, epoch = RelayPosition.model_validate_json(record.value).source.rpartition("/")
            if ledger == f"/seatledger/{ledger_id}":
                found.add(int(epoch))
    return found
