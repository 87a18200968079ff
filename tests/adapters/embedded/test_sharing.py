"""Several processes use one embedded server: the first starts it, the last stops it, a kill hurts nobody else."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_home
from tests.adapters.embedded.conftest import NewUser

_ROOT = Path(__file__).parents[3]


def test_a_second_process_uses_the_same_server_and_the_last_one_stops_it(home: Path, new_user: NewUser) -> None:
    server = EmbeddedPostgres(home)
    first = new_user()
    pid = first.is_in()
    second = new_user()
    assert second.is_in() == pid
    first.leaves()
    assert server.pid == pid
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.leaves()
    assert not server.alive
    assert sorted(path.name for path in server.folder.iterdir()) == [
        "alive.lock",
        "data",
        "server.log",
        "start.lock",
        "users.lock",
    ]


def test_two_uses_in_one_process_count_as_two(home: Path) -> None:
    with EmbeddedPostgres(home) as one:
        with EmbeddedPostgres(home) as other:
            assert one.pid == other.pid
        assert one.alive
    assert not one.alive


def test_a_killed_process_leaves_a_server_that_the_next_one_uses_and_stops(home: Path, new_user: NewUser) -> None:
    killed = new_user()
    pid = killed.is_in()
    killed.is_killed()
    server = EmbeddedPostgres(home)
    assert server.pid == pid
    with server:
        assert server.pid == pid
    assert not server.alive


def test_a_user_that_comes_after_the_server_was_killed_starts_it_for_all(home: Path, new_user: NewUser) -> None:
    first = new_user()
    pid = first.is_in()
    server = EmbeddedPostgres(home)
    server.kill9()
    second = new_user()
    assert second.is_in() not in (pid, None)
    first.leaves()
    assert server.alive
    second.leaves()
    assert not server.alive


def test_of_eight_that_start_at_once_one_starts_the_server(home: Path, new_user: NewUser) -> None:
    users = [new_user() for _ in range(8)]
    assert len({user.is_in() for user in users}) == 1
    log = (home / "postgres" / "server.log").read_text(encoding="utf-8")
    assert log.count("starting PostgreSQL") == 1
    for user in users:
        user.leaves()
    assert not EmbeddedPostgres(home).alive


def test_users_that_come_and_go_never_meet_a_server_that_is_going(home: Path) -> None:
    """Four processes enter, ask and leave again and again, each time perhaps as first or last."""
    come_and_go = """
import sys, psycopg
from pathlib import Path
from adapters.embedded.postgres import EmbeddedPostgres
for _ in range(6):
    with EmbeddedPostgres(Path(sys.argv[1])) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
"""
    command = [sys.executable, "-c", come_and_go, str(home)]
    processes = [subprocess.Popen(command, cwd=_ROOT) for _ in range(4)]
    assert [process.wait(timeout=90) for process in processes] == [0, 0, 0, 0]
    assert not EmbeddedPostgres(home).alive


def test_a_process_killed_in_the_first_start_leaves_nothing_in_the_way(home: Path, new_user: NewUser) -> None:
    killed = new_user()
    while not list((home / "postgres").glob("initialising-*")):
        time.sleep(0.01)
    killed.is_killed()
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_what_a_killed_test_run_left_is_ended_and_deleted_by_the_next() -> None:
    run = """
import sys, time
from adapters.embedded.throw_away import throw_away_postgres
with throw_away_postgres() as server:
    print(server.folder, flush=True)
    time.sleep(60)
"""
    killed = subprocess.Popen(
        [sys.executable, "-c", run],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout is not None
    left = EmbeddedPostgres(Path(killed.stdout.readline().strip()).parent)
    killed.kill()
    killed.communicate()
    assert left.alive
    with throw_away_home():
        assert not left.folder.parent.exists()
    assert not left.alive
