"""A sealer that is killed anywhere: its leaves stay dense, and nothing that it ever gave out is contradicted."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.postgres.tree import TreeReads
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import open_note
from adapters.workers.sealer import Ending
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.sealer_program import POINTS, seal_until_killed
from tests.adapters.proof.sealing import events_of, folder_at, sealed
from tests.adapters.proof.test_sealer import leaves_of, mth

RANDOM_KILLS = 20


class Place:
    """A database, a folder and a topic, and the sealers that come and go there."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path, self.journal = url, path, path / "journal"
        self.folder = folder_at(path / "seal")
        self.journal.touch()
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.adapters.proof.sealer_program"])

    def sealer(self, point: str = "", calls: int = 0) -> multiprocessing.process.BaseProcess:
        arguments = (self.url, self.path / "seal", self.journal, point, calls)
        process = self._processes.Process(target=seal_until_killed, args=arguments, daemon=True)
        process.start()
        return process

    def given_out(self) -> list[Checkpoint]:
        """Everything that anybody may have seen, in the topic, in files and in the database; and what was signed last.

        Nothing of it is larger than what was signed last, and the database has what the topic and the files have.
        """
        with TreeReads(self.url) as tree:
            origin, stored = tree.origin(), self._opened([one.note for one in tree.checkpoints()])
        in_topic = self._opened([str(literal_eval(line)) for line in self.journal.read_text("utf-8").splitlines()])
        in_files = self.folder.published(origin)
        last = self.folder.last()
        signed = [last.checkpoint] if last else []
        assert {*in_topic, *in_files} <= set(stored)
        assert max((one.size for one in stored), default=0) <= max((one.size for one in signed), default=0)
        return [*stored, *signed]

    def _opened(self, notes: list[str]) -> list[Checkpoint]:
        with TreeReads(self.url) as tree:
            keys = [key.verifying() for key in self.folder.keys(tree.origin())]
        return [Checkpoint.parse(open_note(note, keys).text) for note in notes]


@pytest.fixture
def place(url: str, tmp_path: Path) -> Place:
    return Place(url, tmp_path)


def assert_it_stands(place: Place, admin: Admin) -> None:
    """Leaves are dense, and each checkpoint is the root that other code gives of the events there."""
    end_of_sessions(admin)
    given_out = place.given_out()
    sealed(place.url, place.folder)
    assert set(given_out) <= set(place.given_out())
    stored = admin.execute(
        "SELECT array_agg(position ORDER BY number, place) FROM proof.tiles, unnest(positions)"
        " WITH ORDINALITY AS each(position, place) WHERE level = 0"
    ).fetchone()
    assert stored == admin.execute("SELECT array_agg(position ORDER BY position) FROM ledger.events").fetchone()
    leaves = leaves_of(place.url)
    assert max(one.size for one in place.given_out()) == len(leaves)
    for one in set(place.given_out()):
        assert one.root == mth(leaves[: one.size])


def end_of_sessions(admin: Admin) -> None:
    """A server process whose client died ends its statement first."""
    left = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'seatledger sealer' AND datname = current_database()"
    )
    while admin.execute(left).fetchone() != (0,):
        time.sleep(0.02)


@contextmanager
def written_meanwhile(ledger: Ledger) -> Iterator[None]:
    """Events come all the time."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            events_of(ledger, 5)
            stop.wait(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("point", sorted(POINTS))
def test_it_dies_at_each_point_of_its_work(ledger: Ledger, admin: Admin, place: Place, point: str) -> None:
    events_of(ledger, 40)
    for calls in (1, 2, 3, 4):
        with written_meanwhile(ledger):
            process = place.sealer(point, calls)
            process.join(30)
            assert process.exitcode == -signal.SIGKILL
        end_of_sessions(admin)
        place.given_out()
    assert_it_stands(place, admin)


def test_it_dies_at_any_moment(ledger: Ledger, admin: Admin, place: Place) -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    with written_meanwhile(ledger):
        for _ in range(RANDOM_KILLS):
            process = place.sealer()
            time.sleep(chance.uniform(0.03, 0.2))
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            assert process.exitcode == -signal.SIGKILL
    assert_it_stands(place, admin)


def test_a_second_one_stands_by_and_takes_over(ledger: Ledger, admin: Admin, place: Place) -> None:
    events_of(ledger, 10)
    with written_meanwhile(ledger):
        rivals = [place.sealer() for _ in range(3)]
        for first in list(rivals):
            before = place.folder.last()
            size = before.checkpoint.size if before else 0
            deadline = time.monotonic() + 20
            while (last := place.folder.last()) is None or last.checkpoint.size < size + 5:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert first.pid is not None
            os.kill(first.pid, signal.SIGKILL)
            first.join()
    assert_it_stands(place, admin)


def test_one_that_finds_a_change_ends_and_so_does_the_next(ledger: Ledger, admin: Admin, place: Place) -> None:
    events_of(ledger, 10)
    sealed(place.url, place.folder)
    admin.execute("UPDATE proof.tiles SET hashes = set_byte(hashes, 1, 7)")
    for _ in range(2):
        process = place.sealer()
        process.join(30)
        assert process.exitcode == Ending.HALTED
    said = admin.execute("SELECT ending, why FROM proof.sealers").fetchone()
    assert said is not None
    assert (said[0], "does not have the root" in said[1]) == ("halted", True)
