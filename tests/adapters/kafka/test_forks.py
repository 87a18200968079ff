"""A ledger that was restored from an older copy halts its relay, until it is forked; then all of it goes out anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.relay_position import epochs_in
from adapters.postgres.forks import ForkedMeanwhile, Forks
from adapters.postgres.relay_session import RelaySession
from adapters.workers.relay import Ending, run
from tests.adapters.kafka.conftest import Relayed, until


@dataclass
class Backup:
    """A copy of the database, and the way back to it."""

    here: Relayed
    server: str
    copy: str

    def restore(self) -> None:
        """The database is as it was when the copy was made."""
        self.here.close()
        name = str(conninfo_to_dict(self.here.url)["dbname"])
        with psycopg.connect(self.server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.copy}"'.encode())
        self.here.__post_init__()


@contextmanager
def backup_of(here: Relayed, postgres: EmbeddedPostgres) -> Iterator[Backup]:
    """The files of the database as they are now."""
    name, copy = conninfo_to_dict(here.url)["dbname"], f"backup_{uuid4().hex}"
    here.close()  # nobody may be connected while files are copied
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"'.encode())
    here.__post_init__()
    try:
        yield Backup(here, postgres.url, copy)
    finally:
        with psycopg.connect(postgres.url, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{copy}"'.encode())


def why_halted(here: Relayed) -> str:
    """What the relay says when it halts."""
    with capture_logs() as logs:
        assert run(here.settings, threading.Event()) is Ending.HALTED
    (why,) = [str(line["why"]) for line in logs if line["event"] == "relay halted"]
    return why


def fork(here: Relayed, following: int | None = None) -> int:
    with Forks(here.url) as forks:
        now = forks.ledger()
        after = following or now.epoch + 1
        forks.fork(expected=now.epoch, following=after, why="restored", actor_id=uuid4())
    return after


def hash_at(here: Relayed, position: int) -> str:
    with RelaySession(here.url, here.topics.events) as session:
        return session.chain_hashes_at([position])[position].hex()


def source(here: Relayed) -> str:
    with RelaySession(here.url, here.topics.events) as session:
        return session.source()


def test_a_restored_older_copy_halts_the_relay_with_position_and_both_hashes_and_a_fork_publishes_all_of_it_anew(
    here: Relayed, postgres: EmbeddedPostgres
) -> None:
    here.write(members=4)
    assert here.relay() is Ending.STOPPED
    with backup_of(here, postgres) as backup:
        here.write(members=3)
        assert here.relay() is Ending.STOPPED
        last, lost = here.last, hash_at(here, here.last)
        before = here.messages()
        backup.restore()

        why = why_halted(here)
        assert f"position {last}" in why
        assert lost in why
        assert "no event there" in why
        assert "seatledger ledger fork" in why

        while here.last < last:  # and life goes on, over the positions that were lost
            here.write(members=2)
        why = why_halted(here)
        assert lost in why
        assert hash_at(here, last) in why
        assert here.messages() == before

        old = source(here)
        fork(here)
        new = source(here)
        assert here.relay() is Ending.STOPPED
        here.write(members=2)
        assert here.relay() is Ending.STOPPED

    assert here.published == here.last
    assert here.differences() == []
    messages = here.messages()
    assert [one for one in messages if one.source == old] == before
    anew = sorted(one.position for one in messages if one.source == new)
    assert len(anew) == len(set(anew)) == here.count("SELECT count(*) FROM ledger.events")
    for partition in range(12):  # a consumer meets the new source behind everything of the old one
        sources = [one.source for one in sorted(messages, key=lambda one: one.offset) if one.partition == partition]
        assert sources == sorted(sources)


def test_an_event_that_is_lost_before_the_last_published_one_is_noticed_too(here: Relayed) -> None:
    """Drawn first, committed last, and not in the copy: the last position alone would not tell."""
    here.write(members=5)
    assert here.relay() is Ending.STOPPED
    with psycopg.connect(here.url) as connection:
        connection.execute("ALTER TABLE ledger.events DISABLE TRIGGER only_grows")
        connection.execute("DELETE FROM ledger.events WHERE position = 3")
    why = why_halted(here)
    assert "position 3 " in why
    assert "no event there" in why


def test_a_restore_from_before_a_fork_halts_and_the_next_fork_comes_after_every_epoch_that_the_topic_knows(
    here: Relayed, postgres: EmbeddedPostgres
) -> None:
    here.write(members=2)
    assert here.relay() is Ending.STOPPED
    with backup_of(here, postgres) as backup:
        fork(here)
        here.write(members=2)
        assert here.relay() is Ending.STOPPED
        backup.restore()
        assert "restored from before a fork" in why_halted(here)
        with Forks(here.url) as forks:
            known = epochs_in(here.bootstrap, here.topics, str(forks.ledger().ledger_id))
        assert known == {1, 2}
        fork(here, following=3)
        here.write(members=1)
        assert here.relay() is Ending.STOPPED
    assert here.differences() == []
    assert len({one.source for one in here.messages()}) == 3


def test_a_fork_while_a_relay_runs_ends_it_and_the_next_one_publishes_under_the_new_source(here: Relayed) -> None:
    here.write(members=3)
    with here.relay_process() as relay:
        until(lambda: here.shown == here.last)
        fork(here)
        assert relay.wait(30) == Ending.FAILED
    assert here.relay() is Ending.STOPPED
    assert here.differences() == []
    assert [one.source for one in here.messages()].count(source(here)) == 4


def test_a_fork_is_recorded_once_and_for_ever(here: Relayed) -> None:
    last = here.write(members=1)
    with Forks(here.url) as forks:
        forks.fork(expected=1, following=2, why="restored", actor_id=uuid4())
        with pytest.raises(ForkedMeanwhile):
            forks.fork(expected=1, following=2, why="sent twice", actor_id=uuid4())
        with pytest.raises(ForkedMeanwhile):
            forks.fork(expected=2, following=2, why="nowhere", actor_id=uuid4())
        (one,) = forks.forks()
        assert (one.from_epoch, one.to_epoch, one.last_position, one.why) == (1, 2, last, "restored")
        assert one.chain_hash is not None
        assert one.chain_hash.hex() == hash_at(here, last)
    for statement in ("DELETE FROM ledger.forks", "TRUNCATE ledger.forks", "TRUNCATE relay.skips"):
        with psycopg.connect(here.url) as owner, pytest.raises(psycopg.errors.RaiseException, match="only grows"):
            owner.execute(statement.encode())
