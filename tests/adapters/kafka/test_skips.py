"""An event that cannot go out is skipped by a decision, there and nowhere else, and goes out as a placeholder."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from adapters.kafka.cloud_event import message_of
from adapters.kafka.skipped import placeholder_of
from adapters.kafka.topic_audit import compare
from adapters.postgres.forks import Forks
from adapters.postgres.relay_standing import relay_standing
from adapters.workers.relay import Ending
from adapters.workers.relay_skip import SkipRefused, skip
from tests.adapters.kafka.conftest import Relayed, until
from tests.adapters.kafka.test_forks import why_halted
from tests.adapters.kafka.test_relay_refusals import events_of, rewrite_history
from tests.adapters.kafka.test_topic_audit import EVENTS, SOURCE, as_read

UNKNOWN = "UPDATE ledger.events SET topic = 'seatledger.Later.Thing' WHERE position = %s"
UNREADABLE = "UPDATE ledger.events SET state = 'no JSON' WHERE position = %s"
NO_ENVELOPE = "UPDATE ledger.events SET metadata = 'no JSON' WHERE position = %s"


def skipped(here: Relayed, position: int) -> tuple[str, bool]:
    return skip(here.url, here.bootstrap, here.topics, position, why="of the test", actor_id=uuid4())


@pytest.mark.parametrize("broken", [UNKNOWN, UNREADABLE, NO_ENVELOPE], ids=["name", "state", "envelope"])
def test_a_skipped_event_goes_out_as_a_placeholder_with_its_place_and_all_others_as_they_are(
    here: Relayed, broken: str
) -> None:
    here.write(members=2)
    position = here.last
    rewrite_history(here, broken)
    here.write(members=2)
    assert f"position {position} " in why_halted(here)
    assert skipped(here, position)[1] is True
    assert skipped(here, position) == ("it is skipped already", False)
    assert here.relay() is Ending.STOPPED
    assert skipped(here, position) == ("it is skipped already", False)
    here.assert_topic_is_the_ledger()
    (placeholder,) = [one for one in here.messages() if one.type == "seatledger.skipped.v1"]
    (event,) = [one for one in events_of(here) if one.position == position]
    assert placeholder.position == position
    assert placeholder.value == b"{}"
    assert placeholder.headers["ce_sequence"] == f"{event.organization_seq:019}"
    assert placeholder.headers["ce_chainhash"] == event.chain_hash.hex()
    assert set(placeholder.headers) == {name for name, _ in message_of(events_of(here)[0], "x").headers}


def test_only_the_event_that_the_relay_has_halted_at_can_be_skipped(here: Relayed) -> None:
    here.write(members=2)
    stuck = here.last
    rewrite_history(here, UNKNOWN)
    here.write(members=1)
    for position in (1, stuck):  # nothing is published yet: what stands before it can go out
        with pytest.raises(SkipRefused, match=r"can go out|does not stand"):
            skipped(here, position)
    assert here.relay() is Ending.HALTED
    for position in (stuck - 1, stuck + 1, 10**9):
        with pytest.raises(SkipRefused, match=f"it does not stand at {position}"):
            skipped(here, position)
    assert here.count("SELECT count(*) FROM relay.skips") == 0
    skipped(here, stuck)


def test_nothing_is_skipped_where_nothing_is_stuck_or_a_relay_leads(
    here: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.workers.relay_skip.ELECTED_S", 0.5)
    monkeypatch.setattr("adapters.workers.relay_skip.SETTLED_S", 0.5)
    here.write(members=1)
    assert here.relay() is Ending.STOPPED
    with pytest.raises(SkipRefused, match="no event follows"):
        skipped(here, here.last + 1)
    with here.relay_process():
        until(lambda: relay_standing(here.url, here.topics.events).leader)
        here.write(members=1)
        with pytest.raises(SkipRefused, match="a relay leads"):
            skipped(here, here.last)


def test_a_placeholder_that_nobody_decided_is_a_difference_and_so_is_the_event_where_one_was_decided() -> None:
    placeholder = as_read(EVENTS[2], placeholder_of(EVENTS[2], SOURCE))
    messages = [*map(as_read, EVENTS[:2]), placeholder, *map(as_read, EVENTS[3:])]
    (found,) = compare(messages, EVENTS, SOURCE)
    assert (found.position, found.what) == (30, "altered")
    decided = {30: EVENTS[2].chain_hash}
    assert list(compare(messages, EVENTS, SOURCE, skips=decided)) == []
    (found,) = compare(map(as_read, EVENTS), EVENTS, SOURCE, skips=decided)
    assert (found.position, found.what) == (30, "altered")
    (found,) = compare(messages, EVENTS, SOURCE, skips={30: bytes(32)})  # of another event, in another history
    assert (found.position, found.what) == (30, "altered")


def test_a_skip_stays_where_the_ledger_is_forked(here: Relayed) -> None:
    here.write(members=2)
    rewrite_history(here, UNKNOWN)
    assert here.relay() is Ending.HALTED
    skipped(here, here.last)
    with Forks(here.url) as forks:
        forks.fork(expected=1, following=2, why="restored", actor_id=uuid4())
    assert here.relay() is Ending.STOPPED
    assert here.differences() == []


def test_the_owner_alone_could_take_a_decision_back(here: Relayed) -> None:
    with psycopg.connect(here.url, autocommit=True) as connection:
        connection.execute("SET ROLE seatledger_app")
        for statement in ("DELETE FROM relay.skips", "UPDATE relay.skips SET why = 'x'", "DELETE FROM ledger.forks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
