"""Other processes that use an embedded server, as `seatledger up` and a command in a second terminal do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import pytest

from adapters.embedded.throw_away import throw_away_home

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[3]
_USE = """
import sys
from pathlib import Path
from adapters.embedded.{module} import {server}
with {server}(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    sys.stdin.readline()
"""


class User:
    """A process that uses the server of a home until it is told to leave, or killed."""

    def __init__(self, home: Path, server: str) -> None:
        code = _USE.format(server=server, module=server.removeprefix("Embedded").lower())
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(home)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def is_in(self) -> int:
        """Waits until the server is there for it and gives the server's process id."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def entered(self) -> Self:
        self.is_in()
        return self

    def leaves(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def is_killed(self) -> None:
        self.process.kill()
        self.process.communicate()


class NewUser(Protocol):
    """Starts a user of a server."""

    def __call__(self, server: str = "EmbeddedPostgres") -> User: ...


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the account of the server can reach, deleted with whatever runs in it."""
    with throw_away_home() as home:
        yield home


@pytest.fixture
def new_user(home: Path) -> Iterator[NewUser]:
    """Starts users of the servers in `home`; all are gone at the end."""
    users: list[User] = []

    def start(server: str = "EmbeddedPostgres") -> User:
        users.append(User(home, server))
        return users[-1]

    yield start
    for user in users:
        user.is_killed()
