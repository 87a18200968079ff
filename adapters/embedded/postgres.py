"""A real PostgreSQL 18, reached by a private socket, started and stopped by us."""

from __future__ import annotations

import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import psycopg
from psycopg.pq import PGconn, Ping

from adapters.embedded.account import (
    OUTSIDE,
    PLAIN_ENVIRONMENT,
    Account,
    Credentials,
    make_outside,
    unprivileged_account,
)
from adapters.embedded.postgres_binaries import postgres_binaries
from adapters.embedded.program import telling_line
from adapters.embedded.server import EmbeddedServer, EmbeddedServerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUPERUSER = "postgres"
DATABASE = "seatledger"
_SOCKET_PREFIX = "seatledger-"
_SOCKET_NAME_MAX = 100
"""Bytes; Linux takes 107, macOS 103."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "seatledger",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_prepared_transactions": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] ",
    # A statement or an error's detail shows the row's state, which may name a person.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL with its data in `home/postgres`, shared by every process that uses the same home.

    Only this user (as root: the account that runs the server) reaches the socket, and who reaches it is trusted.
    As root, data that the account cannot reach in `home` lies in a folder of its own, and `home/postgres/data` is a
    link to it; it stays there when `home` is removed without `delete`.
    """

    called: ClassVar[str] = "the embedded PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": clients are disconnected, nothing is lost

    def __init__(self, home: Path) -> None:
        super().__init__(home / "postgres")
        try:
            self._account: Account = unprivileged_account()
        except LookupError as error:
            raise EmbeddedServerFailed(str(error)) from error

    @property
    def url(self) -> str:
        """The superuser's connection URL for the database `seatledger`."""
        return self.url_as(SUPERUSER)

    def url_as(self, role: str, database: str = DATABASE) -> str:
        """The connection URL of a role; no password, for the socket is private."""
        user, name, socket = (quote(part, safe="") for part in (role, database, str(self._socket())))
        return f"postgresql://{user}@/{name}?host={socket}"

    def delete(self) -> None:
        """Removes the stopped server's data for good, wherever it lies."""
        if self._data.is_symlink() and self._data.readlink().parent.parent == OUTSIDE:
            shutil.rmtree(self._data.readlink().parent)
        super().delete()

    # Data.

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _prepare(self) -> None:
        self._binaries = postgres_binaries(self._account)
        if self._data.is_symlink() and not self._data.exists():
            raise EmbeddedServerFailed(
                f"{self.called} had its data in {self._data.readlink()}, which is gone;"
                f" remove {self._data} to begin anew"
            )
        if not self._data.exists():
            self._initialise()
        elif not self._account.can_enter(self._data.resolve()):
            raise EmbeddedServerFailed(
                f"{self.called} cannot reach its data in {self._data}: it belongs to another user,"
                " or a folder above it was closed to the user that runs the server"
            )
        self._make_socket_folder()

    def _initialise(self) -> None:
        """Makes the cluster beside its place and moves it there when it is complete, so that a crash leaves no half."""
        place = self.folder
        if not self._account.can_enter(self.folder):
            place = Path(tempfile.mkdtemp(dir=make_outside(), prefix="data-"))
            place.chmod(0o711)
        for left_over in place.glob("initialising-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # A new name each time: the program of a killed starter may still be writing.
        unfinished = Path(tempfile.mkdtemp(dir=place, prefix="initialising-"))
        self._account.owns(unfinished)
        made = self._account.run(
            [
                str(self._binaries / "initdb"),
                *("--pgdata", str(unfinished), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
            ]
        )
        if made.returncode != 0:
            shutil.rmtree(unfinished if place == self.folder else place, ignore_errors=True)
            raise EmbeddedServerFailed(f"{self.called} could not make its data folder: {telling_line(made.stdout)}")
        unfinished.rename(place / "data")
        if place != self.folder:
            self._data.symlink_to(place / "data")

    # Socket. Its path must be short, and the project's folder may be long: it lies under the temporary folder.

    def _socket(self) -> Path:
        return Path((self.folder / "socket").readlink())

    def _make_socket_folder(self) -> None:
        if (self.folder / "socket").is_symlink() and self._account.keeps_to_itself(self._socket()):
            return  # a restarted server keeps its address
        candidates = [Path("/tmp")] if self._account.is_other else [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108
        base = next((path for path in candidates if len(bytes(path)) < _SOCKET_NAME_MAX - 40), candidates[-1])
        folder = Path(tempfile.mkdtemp(dir=base, prefix=_SOCKET_PREFIX))
        self._account.owns(folder)
        remembered = self.folder / "socket.new"
        try:
            remembered.unlink(missing_ok=True)  # of a starter that was killed here
            remembered.symlink_to(folder)
            remembered.replace(self.folder / "socket")  # whole or not at all
        except OSError:
            folder.rmdir()
            remembered.unlink(missing_ok=True)
            raise

    def _tidy(self) -> None:
        super()._tidy()
        remembered = self.folder / "socket"
        if remembered.is_symlink():
            self._remove_socket_folder()
        remembered.unlink(missing_ok=True)

    def _remove_socket_folder(self) -> None:
        """Removes the two files PostgreSQL keeps there and the folder once it is empty: never a tree.

        A path kept as text was once empty, on a full disk, and so named the folder that the process stood in.
        """
        folder = self._socket()
        if not (folder.is_absolute() and folder.name.startswith(_SOCKET_PREFIX)):
            return
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()

    # Life.

    def _command(self) -> Sequence[str]:
        settings = {**_SETTINGS, "unix_socket_directories": f'"{self._socket()}"'}
        return [
            str(self._binaries / "postgres"),
            *("-D", str(self._data.resolve())),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]

    def _mark(self) -> str:
        return str(self._data.resolve())

    def _credentials(self) -> Credentials:
        return self._account.credentials

    def _environment(self) -> Mapping[str, str]:
        return {**PLAIN_ENVIRONMENT, **self._stale_owner()}

    def _stale_owner(self) -> Mapping[str, str]:
        """Tells PostgreSQL which process number in its old lock file is nobody's.

        We hold the lock that a living server would hold, so the number left by a crash belongs to a zombie or to
        another program by now. PostgreSQL believes any number that exists, except its starter's.
        """
        lines = self._lock_file_lines()
        return {"PG_GRANDPARENT_PID": lines[0]} if lines else {}

    def _lock_file_lines(self) -> list[str]:
        try:
            text = (self._data / "postmaster.pid").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _answers(self) -> bool:
        if "ready" not in self._lock_file_lines()[7:8]:  # asking earlier would fill the log with refusals
            return False
        url = f"{self.url_as(SUPERUSER, 'postgres')}&connect_timeout=5"
        if PGconn.ping(url.encode()) != Ping.OK:
            return False
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
        return True
