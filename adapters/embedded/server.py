"""What every embedded server has in common: who starts it, who stops it, how it is found and ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import psutil

from adapters.embedded.account import PLAIN_ENVIRONMENT, Credentials
from adapters.embedded.lease import Share, alone, is_held, open_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The program's first output is its own process id, so that it is known even when we are killed right after the start.
_TELL_PID_THEN_RUN = 'echo $$; exec "$@" >&2'
_POLL_S = 0.02


class EmbeddedServerFailed(Exception):
    """An embedded server cannot be started or used; one line that says why and where to look."""


class EmbeddedServer(ABC):
    """A server that the processes of one folder share: the first starts it, the last stops it.

    As a context manager it holds a share. The folder keeps three locks: `start.lock` (who decides), `users.lock`
    (who uses) and `alive.lock`, inherited by the server and its children and so held exactly while one of them lives.
    A user that is killed leaves the server running; the next one finds it and goes on with it.
    """

    called: ClassVar[str]
    start_timeout_s: ClassVar[float]
    stop_timeout_s: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._share: Share | None = None
        self._log_start = 0

    # What each kind of server tells.

    @abstractmethod
    def _prepare(self) -> None:
        """Makes what the server needs before it starts; called by the one who starts it."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Gives the command that runs the server in the foreground."""

    @abstractmethod
    def _answers(self) -> bool:
        """Tells whether the running server does real work for a client."""

    @abstractmethod
    def _mark(self) -> str:
        """Gives a part of the server's command line that no other program has."""

    def _credentials(self) -> Credentials:
        return {}

    def _environment(self) -> Mapping[str, str]:
        return PLAIN_ENVIRONMENT

    def _working_folder(self) -> Path:
        return Path("/")

    def _tidy(self) -> None:
        """Removes what only a running server needs; called when its last user has stopped it."""
        (self.folder / "pid").unlink(missing_ok=True)

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
        elif self._process is not None:
            self._process.returncode = 0  # it outlives us, so nobody here waits for it

    def _reuse_or_start(self) -> None:
        if self.alive:
            self._log_start = self._log_size()
            if self._wait_for_answer():
                return
            if self.alive:
                raise EmbeddedServerFailed(
                    f"{self.called} is running (process {self._pid()}) but does not answer; see {self.log}"
                )
        self.start()

    # Life.

    @property
    def alive(self) -> bool:
        """Whether the server, or a child of it, is running."""
        return self.folder.exists() and is_held(self.folder / "alive.lock")

    def start(self) -> None:
        """Starts the server and returns when it does real work; for who is sure that it is not running."""
        self._prepare()
        self._spawn()
        if not self._wait_for_answer():
            why = telling_line(self._log_tail())
            self.kill9()
            raise EmbeddedServerFailed(f"{self.called} did not start: {why} (log: {self.log})")

    def stop(self) -> None:
        """Stops the server in good order; what does not end in time is killed, and recovers at the next start."""
        self._signal(self.stop_signal)
        self._signal(signal.SIGCONT)  # a paused one would not hear it
        if not self._wait_for_end(self.stop_timeout_s):
            self.kill9()
        self._reap()

    def restart(self) -> None:
        """Stops the server, when it is running, and starts it with the same data and address."""
        self.stop()
        self.start()

    def delete(self) -> None:
        """Removes the stopped server's folder for good."""
        self._tidy()
        shutil.rmtree(self.folder)

    def kill9(self) -> None:
        """Kills the server and its children at once, as a power cut would."""
        server = self._running()
        if server is not None:
            server.suspend()  # so that it makes no child while they are counted
            for process in [server, *server.children(recursive=True)]:
                process.kill()
        if not self._wait_for_end(self.stop_timeout_s):
            raise EmbeddedServerFailed(f"{self.called} does not end although it was killed; see {self.log}")
        self._reap()

    def pause(self) -> None:
        """Freezes the server: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaws a frozen server."""
        self._signal(signal.SIGCONT)

    # How it is done.

    def _spawn(self) -> None:
        lock = open_lock(self.folder / "alive.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._log_start = self._log_size()
            with self.log.open("ab") as log, (self.folder / "pid").open("wb") as pid:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _TELL_PID_THEN_RUN, "sh", *self._command()],
                    stdin=subprocess.DEVNULL,
                    stdout=pid,
                    stderr=log,
                    pass_fds=(lock,),
                    cwd=self._working_folder(),
                    env=dict(self._environment()),
                    start_new_session=True,  # Ctrl-C in our terminal is not for the server
                    **self._credentials(),
                )
        finally:
            os.close(lock)

    def _wait_for_answer(self) -> bool:
        deadline = time.monotonic() + self.start_timeout_s
        while time.monotonic() < deadline and self.alive:
            if self._answers():
                return True
            time.sleep(_POLL_S)
        return False

    def _wait_for_end(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(timeout=self.stop_timeout_s)
            self._process = None

    def _pid(self) -> int | None:
        if self._process is not None:
            return self._process.pid
        try:
            return int((self.folder / "pid").read_text())
        except (OSError, ValueError):
            return None

    def _running(self) -> psutil.Process | None:
        """Gives the server's process; never one that took over its number."""
        pid = self._pid()
        if pid is None or not self.alive:
            return None
        try:
            process = psutil.Process(pid)
            return process if self._mark() in " ".join(process.cmdline()) else None
        except psutil.Error:
            return None

    def _signal(self, number: signal.Signals) -> None:
        process = self._running()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _log_tail(self) -> str:
        """What the server has said since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")


def telling_line(output: str) -> str:
    """Picks the line of a program's output that says why it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fatal = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "ERROR", "Exception"))]
    return (fatal or lines or ["it did not say why"])[-1]
