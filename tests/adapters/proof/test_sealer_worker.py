"""The sealer as a worker: seals as events come, publishes when the topic can be reached, and says how it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from prometheus_client import generate_latest

from adapters.kafka.checkpoint_topic import CheckpointTopic
from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import TopicMisconfigured, Topics, ensure_topics, settings_of
from adapters.kafka.topic_settings import sealed as of_the_sealer
from adapters.postgres.migrate import migrate
from adapters.postgres.seal_standing import seal_standing
from adapters.postgres.tree import Sealed, TreeReads
from adapters.proof.seal_folder import SealFolder
from adapters.workers import checkpoint_publisher
from adapters.workers.healthy import what_ails
from adapters.workers.sealer import Ending, SealerSettings, run
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.sealing import NEVER, events_of, folder_at

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka


class Away:
    """A topic that cannot be reached until it can."""

    def __init__(self) -> None:
        self.reachable, self.asked, self.has = False, 0, list[Sealed]()

    def send(self, checkpoints: Sequence[Sealed]) -> None:
        self.asked += 1
        if not self.reachable:
            raise ConnectionError
        self.has += checkpoints


@contextmanager
def a_worker(settings: SealerSettings) -> Iterator[list[Ending]]:
    """Runs meanwhile; afterwards there is how it ended."""
    stop, endings = threading.Event(), list[Ending]()
    worker = threading.Thread(target=lambda: endings.append(run(settings, stop)))
    worker.start()
    try:
        yield endings
    finally:
        stop.set()
        worker.join(20)
        assert not worker.is_alive()


def until(true: Callable[[], object], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def settings_for(url: str, path: Path, **more: object) -> SealerSettings:
    return SealerSettings(url, folder_at(path), every_s=0.01, pace=NEVER, standby_s=0.01, **more)  # type: ignore[arg-type]


def test_it_seals_what_comes_and_publishes_what_waited_when_the_topic_is_back(
    ledger: Ledger, url: str, tmp_path: Path
) -> None:
    topic = Away()
    settings = settings_for(url, tmp_path, send=topic.send)
    with a_worker(settings) as endings:
        for _ in range(3):
            events_of(ledger, 10)
            size = seal_standing(url).unsealed
            until(lambda: seal_standing(url).unsealed == 0)
            assert size <= 10
        standing = seal_standing(url)
        assert (standing.sealer is not None, standing.unpublished > 0, topic.has) == (True, True, [])
        topic.reachable = True
        until(lambda: seal_standing(url).unpublished == 0)
        told = generate_latest(settings.metrics.registry).decode()
        assert what_ails(told, time.time()) is None
        assert "seatledger_sealer_seals 1.0" in told
    assert endings == [Ending.STOPPED]
    with TreeReads(url) as tree:
        assert [one.note for one in topic.has] == [one.note for one in tree.checkpoints()]
    assert seal_standing(url).sealer is None


def test_a_topic_that_hangs_holds_up_neither_sealing_nor_the_end(
    ledger: Ledger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_publisher, "END_S", 0.5)
    began, free = threading.Event(), threading.Event()

    def hangs(_: Sequence[Sealed]) -> None:
        began.set()
        free.wait(60)

    events_of(ledger, 5)
    try:
        with a_worker(settings_for(url, tmp_path, send=hangs)) as endings:
            assert began.wait(20)
            events_of(ledger, 5)
            until(lambda: seal_standing(url).unsealed == 0)
        assert endings == [Ending.STOPPED]
    finally:
        free.set()


def test_it_says_what_it_found_and_the_next_one_says_so_while_it_stands_by(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    events_of(ledger, 5)
    settings = settings_for(url, tmp_path)
    with a_worker(settings) as endings:
        until(lambda: seal_standing(url).checkpoint)
        admin.execute("UPDATE proof.tiles SET hashes = set_byte(hashes, 1, 7)")
        until(lambda: endings)
    assert endings == [Ending.HALTED]
    error = seal_standing(url).last_error
    assert error is not None
    assert (error.ending, "does not have the root" in error.why) == ("halted", True)
    next_one = settings_for(url, tmp_path)
    with a_worker(next_one):
        until(lambda: 'error_timestamp_seconds{ending="halted"}' in generate_latest(next_one.metrics.registry).decode())


def test_without_a_key_or_with_a_database_that_is_away_it_ends(url: str, tmp_path: Path) -> None:
    assert run(SealerSettings(url, SealFolder(tmp_path)), threading.Event()) is Ending.HALTED
    nowhere = f"postgresql://postgres@/x?host={tmp_path}"
    assert run(settings_for(nowhere, tmp_path), threading.Event()) is Ending.FAILED


def test_only_the_login_of_the_sealer_may_act_as_it(url: str, admin: Admin, tmp_path: Path) -> None:
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
    admin.execute(f"CREATE ROLE app_{name} LOGIN; CREATE ROLE sealer_{name} LOGIN".encode())
    try:
        migrate(url, app_login=f"app_{name}")
        app, sealer = (url.replace("postgres@", f"{who}_{name}@") for who in ("app", "sealer"))
        with a_worker(settings_for(app, tmp_path)) as endings:  # one login for all, as long as nothing else is said
            until(lambda: seal_standing(url).sealer)
        assert endings == [Ending.STOPPED]
        migrate(url, app_login=f"app_{name}", sealer_login=f"sealer_{name}")
        assert run(settings_for(app, tmp_path), threading.Event()) is Ending.HALTED
        with a_worker(settings_for(sealer, tmp_path)) as endings:
            until(lambda: seal_standing(url).sealer)
        assert endings == [Ending.STOPPED]
        with psycopg.connect(sealer) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT FROM ledger.commands")
    finally:
        admin.execute(f"DROP OWNED BY app_{name}, sealer_{name}; DROP ROLE app_{name}, sealer_{name}".encode())


@pytest.mark.kafka
def test_the_topic_has_every_note_in_its_order(ledger: Ledger, url: str, tmp_path: Path, kafka: EmbeddedKafka) -> None:
    topics = Topics(checkpoints=f"checkpoints.{tmp_path.name}")
    topic = CheckpointTopic(kafka.bootstrap, topics)
    with a_worker(settings_for(url, tmp_path, send=topic.send)):
        for _ in range(3):
            events_of(ledger, 5)
            until(lambda: seal_standing(url).unsealed == 0)
        until(lambda: seal_standing(url).unpublished == 0)
    topic.close()
    with TreeReads(url) as tree:
        stored, origin = tree.checkpoints(), tree.origin()
    messages = list(read_topic(kafka.bootstrap, topics.checkpoints))
    assert [one.value.decode() for one in messages][-len(stored) :] == [one.note for one in stored]
    assert {(one.key, one.partition) for one in messages} == {(origin.encode(), 0)}
    assert all(setting.holds for setting in settings_of(kafka.bootstrap, topics, of_the_sealer))


@pytest.mark.kafka
def test_a_topic_of_checkpoints_that_forgets_is_refused(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    ensure_topics(kafka.bootstrap, Topics(position=f"forgetful.{tmp_path.name}", events=f"e.{tmp_path.name}"))
    with pytest.raises(TopicMisconfigured, match="compact, not delete"):
        ensure_topics(kafka.bootstrap, Topics(checkpoints=f"forgetful.{tmp_path.name}"), of_the_sealer)
