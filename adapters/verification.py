"""`audit verify`: everything that is derived from history is derived again and compared; history proves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from adapters.payments.limits import limits_of
from adapters.postgres.history_reads import HistoryReads, Stored
from adapters.postgres.projector_rebuild import parity
from adapters.postgres.relay_session import RelaySession
from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper
from projections.audit.derive import AmountsCheck
from projections.audit.verify import (
    ChainCheck,
    Check,
    CommandCheck,
    Difference,
    FactCheck,
    PayloadCheck,
    check_snapshots,
    examine,
)
from projections.read_models import READ_MODELS

if TYPE_CHECKING:
    from adapters.kafka.topic_settings import Topics

COUNTED = 500  # events


def verify_history(reads: HistoryReads, progress: Callable[[int, int], None] = lambda *_: None) -> Iterator[Difference]:
    """Chains, payloads, receipts, facts, amounts and snapshots of every organization; `progress` gets done and all."""
    mapper = PydanticMapper(PydanticJSON())
    known = reads.size().organizations
    for done, stored in enumerate(reads.stored()):
        progress(done, known)
        yield from verify_organization(reads, stored, mapper)
    progress(known, known)


def verify_read_models(url: str, tell: Callable[[str], None] = lambda _: None) -> Iterator[Difference]:
    """Every read table against its rebuild from the beginning of history; `tell` hears of each that it begins."""
    for projection in READ_MODELS:
        tell(f"rebuilding {projection.name} to compare it")
        yield from parity(url, projection.name)


class CountedSession(RelaySession):
    """Tells how many events were read, now and then."""

    def __init__(self, url: str, topic: str, more: Callable[[int], None]) -> None:
        super().__init__(url, topic)
        self._more = more

    def events_until(self, position: int) -> Iterator[RecordedEvent]:
        for number, event in enumerate(super().events_until(position), start=1):
            if number % COUNTED == 0:
                self._more(COUNTED)
            yield event


def verify_topic(
    url: str, bootstrap: str, topics: Topics, more: Callable[[int], None] = lambda _: None
) -> Iterator[Difference]:
    """The topic against the ledger, up to where the relay was when this began; `more` hears how many are compared."""
    from adapters.kafka.relay_position import PositionLost  # only here: the client takes longest to import
    from adapters.kafka.topic import TopicUnreadable
    from adapters.kafka.topic_audit import compare_topic

    with CountedSession(url, topics.events, more) as history:
        try:
            for found in compare_topic(bootstrap, topics, history):
                yield Difference(check="topic", key=f"position {found.position}", what=f"{found.what}: {found.detail}")
        except (PositionLost, TopicUnreadable) as error:
            yield Difference(check="topic", key=topics.events, what=str(error))


def verify_organization(reads: HistoryReads, stored: Stored, mapper: PydanticMapper) -> Iterator[Difference]:
    """One organization's history against itself."""
    checks: list[Check] = [
        ChainCheck(stored.organization_id),
        PayloadCheck(mapper),
        CommandCheck(stored.commands),
        FactCheck(stored.facts),
        AmountsCheck(mapper, limits_of),
    ]
    yield from examine(stored.events, checks)
    for originator_id, snapshots in groupby(stored.snapshots, key=attrgetter("originator_id")):
        stream = reads.stream(stored.organization_id, originator_id)
        yield from check_snapshots(snapshots, stream, mapper)
