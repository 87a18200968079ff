"""An operator's decision to go on without an event that cannot go out: for the one that the relay has halted at."""

from __future__ import annotations

import time
from uuid import UUID

from adapters.kafka.batch import translate
from adapters.kafka.public_mapper import Unpublishable
from adapters.kafka.relay import open_producer, resume
from adapters.kafka.skipped import is_skipped
from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.kafka.watchdog import Watchdog
from adapters.postgres.follower import Follower
from adapters.postgres.forks import Forks
from adapters.postgres.relay_session import RelaySession
from adapters.postgres.session import PROJECTOR
from domain.envelope import RecordedEvent

ELECTED_S = 15.0  # a relay that is started again and again holds the lock for moments
SETTLED_S = 5.0
LOOK_S = 0.1
CLOSE_S = 5.0


class SkipRefused(Exception):
    """Says why this position may not be skipped."""


def skip(
    url: str, bootstrap: str | None, topics: Topics, position: int, *, why: str, actor_id: UUID
) -> tuple[str, bool]:
    """What is wrong with the event, and whether the decision is new; raises SkipRefused.

    It takes the relay's place for a moment: it is elected, fences whoever was there before, and reads in the topic how
    far that one came. `bootstrap` None: nothing was ever published, and the feed alone stands before the event.
    """
    with RelaySession(url, topics.events) as session:
        _be_elected(session, topics)
        after = _published(session, bootstrap, topics) if bootstrap else position - 1
        event = _next(url, after)
        if event is None or event.position != position:
            # What was skipped already and has gone out since is no refusal for who says it twice.
            if position in session.skips(topics.edition):
                return "it is skipped already", False
            following = f"the next event is at {event.position}" if event else "no event follows"
            raise SkipRefused(
                f"it is published up to position {after}, and {following}: it does not stand at {position}"
            )
        if is_skipped(event, session.skips(topics.edition)):
            return "it is skipped already", False
        stuck = _stuck(event, session.source(), topics)
    if stuck is None:
        raise SkipRefused(f"the event at position {position} can go out: start the relay")
    with Forks(url) as forks:
        forks.skip(edition=topics.edition, position=position, chain_hash=event.chain_hash, why=why, actor_id=actor_id)
    return str(stuck), True


def _be_elected(session: RelaySession, topics: Topics) -> None:
    deadline = time.monotonic() + ELECTED_S
    while not session.elected():
        if time.monotonic() > deadline:
            raise SkipRefused(
                f"a relay leads {topics.events}, so it has not halted; `seatledger relay status` tells where it stands"
            )
        time.sleep(LOOK_S)


def _published(session: RelaySession, bootstrap: str, topics: Topics) -> int:
    ensure_topics(bootstrap, topics)
    producer = open_producer(bootstrap, topics)
    try:
        return resume(producer, bootstrap, topics, session, Watchdog(60)).after
    finally:
        producer.close(timeout=CLOSE_S)


def _next(url: str, after: int) -> RecordedEvent | None:
    deadline = time.monotonic() + SETTLED_S
    with Follower(url, after, role=PROJECTOR, session_name="seatledger skip") as follower:
        while not (events := follower.poll(1)) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
    return events[0] if events else None


def _stuck(event: RecordedEvent, source: str, topics: Topics) -> Unpublishable | None:
    return translate([event], source, topics.edition).stuck
