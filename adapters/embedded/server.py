"""What every embedded server has in common: who starts it, who stops it, and when it is ready."""

from __future__ import annotations

import shutil
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from adapters.embedded.account import PLAIN_ENVIRONMENT, Credentials
from adapters.embedded.lease import Share, alone
from adapters.embedded.program import POLL_S, Program, telling_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EmbeddedServerFailed(Exception):
    """An embedded server cannot be started or used; one line that says why and where to look."""


class EmbeddedServer(ABC):
    """A server that the processes of one folder share: the first starts it, the last stops it.

    As a context manager it holds a share. Who starts or stops holds `start.lock`, who uses it `users.lock`. A user
    that is killed leaves the server running; the next one finds it and goes on with it.
    """

    called: ClassVar[str]
    start_timeout_s: ClassVar[float] = 120.0
    stop_timeout_s: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self._program = Program(self.folder, self.log)
        self._share: Share | None = None

    # What each kind of server tells.

    @abstractmethod
    def _prepare(self) -> None:
        """Makes what the server needs before it starts; called by the one who starts it."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Gives the command that runs the server in the foreground."""

    @abstractmethod
    def _mark(self) -> str:
        """Gives a part of the command that no other program's has."""

    @abstractmethod
    def _answers(self) -> bool:
        """Tells whether the running server does real work for a client."""

    def _credentials(self) -> Credentials:
        return {}

    def _environment(self) -> Mapping[str, str]:
        return PLAIN_ENVIRONMENT

    def _working_folder(self) -> Path:
        return Path("/")

    def _tidy(self) -> None:
        """Removes what only a running server needs; called when its last user has stopped it."""
        self._program.forget()

    # Sharing.

    def __enter__(self) -> Self:
        try:
            self.folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o711, exist_ok=True)
            with alone(self.folder / "start.lock"):
                self._share = Share(self.folder / "users.lock")
                try:
                    self._reuse_or_start()
                except BaseException:
                    self._leave()
                    raise
        except OSError as error:
            raise EmbeddedServerFailed(f"{self.called} did not start: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        with alone(self.folder / "start.lock"):
            self._leave()

    def _leave(self) -> None:
        share, self._share = self._share, None
        if share is not None and share.leave():
            self.stop()
            self._tidy()
        else:
            self._program.let_go()

    def _reuse_or_start(self) -> None:
        if self.alive:
            self._program.listen_from_here()
            if self._wait_for_answer():
                return
            if self.alive:
                raise EmbeddedServerFailed(
                    f"{self.called} is running (process {self.pid}) but does not answer; see {self.log}"
                )
        self.start()

    # Life.

    @property
    def alive(self) -> bool:
        """Whether the server, or a child of it, is running."""
        return self._program.alive

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._program.pid if self.alive else None

    def start(self) -> None:
        """Starts the server and returns when it does real work; for who knows that it is not running."""
        self._prepare()
        self._program.run(
            self._command(),
            working_folder=self._working_folder(),
            environment=self._environment(),
            credentials=self._credentials(),
        )
        if not self._wait_for_answer():
            why = telling_line(self._program.said())
            self.kill9()
            raise EmbeddedServerFailed(f"{self.called} did not start: {why} (log: {self.log})")

    def stop(self) -> None:
        """Stops the server in good order; what does not end in time is killed, and recovers at the next start."""
        self._program.signal(self.stop_signal, self._mark())
        self.resume()  # a paused one would not hear it
        if not self._program.ended(within_s=self.stop_timeout_s):
            self.kill9()

    def restart(self) -> None:
        """Stops the server, when it is running, and starts it with the same data and address."""
        self.stop()
        self.start()

    def kill9(self) -> None:
        """Kills the server and its children at once, as a power cut would."""
        self._program.kill(self._mark())
        if not self._program.ended(within_s=self.stop_timeout_s):
            raise EmbeddedServerFailed(f"{self.called} does not end although it was killed; see {self.log}")

    def pause(self) -> None:
        """Freezes the server: connections stay open and nothing answers."""
        self._program.signal(signal.SIGSTOP, self._mark())

    def resume(self) -> None:
        """Thaws a frozen server."""
        self._program.signal(signal.SIGCONT, self._mark())

    def delete(self) -> None:
        """Removes the stopped server's folder for good."""
        self._tidy()
        shutil.rmtree(self.folder)

    def _wait_for_answer(self) -> bool:
        deadline = time.monotonic() + self.start_timeout_s
        while time.monotonic() < deadline and self.alive:
            if self._answers():
                return True
            time.sleep(POLL_S)
        return False
