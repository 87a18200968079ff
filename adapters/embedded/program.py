"""A program that runs beside us and may outlive us: found again by its folder, never mistaken for another."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from adapters.embedded.lease import is_held, open_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from adapters.embedded.account import Credentials

# Its first output is its own process id, so that it is known even when we are killed right after the start.
_TELL_PID_THEN_RUN = 'echo $$; exec "$@" >&2'
POLL_S = 0.02


class Program:
    """One running program per folder, with its log and process id there.

    `alive.lock` is inherited by the program and its children and so held exactly while one of them lives, whatever
    became of its process id.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._alive_lock = folder / "alive.lock"
        self._pid_file = folder / "pid"
        self._log = log
        self._log_start = 0
        self._child: subprocess.Popen[bytes] | None = None

    def run(
        self, command: Sequence[str], *, working_folder: Path, environment: Mapping[str, str], credentials: Credentials
    ) -> None:
        """Starts the program in a session of its own; raises BlockingIOError when one is running."""
        lock = open_lock(self._alive_lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.listen_from_here()
            with self._log.open("ab") as log, self._pid_file.open("wb") as pid:
                self._child = subprocess.Popen(
                    ["/bin/sh", "-c", _TELL_PID_THEN_RUN, "sh", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=pid,
                    stderr=log,
                    pass_fds=(lock,),
                    cwd=working_folder,
                    env=dict(environment),
                    start_new_session=True,  # Ctrl-C in our terminal is not for it
                    **credentials,
                )
        finally:
            os.close(lock)

    @property
    def alive(self) -> bool:
        """Whether the program, or a child of it, is running."""
        return self._alive_lock.parent.exists() and is_held(self._alive_lock)

    @property
    def pid(self) -> int | None:
        """The process id it was started with."""
        if self._child is not None:
            return self._child.pid
        try:
            return int(self._pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def signal(self, number: signal.Signals, mark: str) -> None:
        """Sends a signal to the program, when it runs; `mark` is in its command line and in no other's."""
        process = self._find(mark)
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def kill(self, mark: str) -> None:
        """Kills the program and its children at once."""
        process = self._find(mark)
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.suspend()  # so that it makes no child while they are counted
                for one in [process, *process.children(recursive=True)]:
                    one.kill()

    def ended(self, *, within_s: float) -> bool:
        """Waits until the program and all its children are gone; tells whether they are."""
        deadline = time.monotonic() + within_s
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        if self._child is not None:
            self._child.wait()
            self._child = None
        return True

    def let_go(self) -> None:
        """Leaves the program running for others."""
        if self._child is not None:
            self._child.returncode = 0  # nobody here waits for it any more
            self._child = None

    def forget(self) -> None:
        """Removes what is left of a program that ended."""
        self._pid_file.unlink(missing_ok=True)

    def listen_from_here(self) -> None:
        """Makes `said` begin with what the program says from now on."""
        self._log_start = self._log.stat().st_size if self._log.exists() else 0

    def said(self) -> str:
        """What the program wrote to its log."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _find(self, mark: str) -> psutil.Process | None:
        if self.pid is None or not self.alive:
            return None
        try:
            process = psutil.Process(self.pid)
            return process if mark in " ".join(process.cmdline()) else None
        except psutil.Error:
            return None


def telling_line(output: str) -> str:
    """Picks the line of a program's output that says why it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fatal = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "ERROR", "Exception"))]
    return (fatal or lines or ["it did not say why"])[-1]
