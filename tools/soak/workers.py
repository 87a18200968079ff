"""Processes that are killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOP_S = 60


class Worker:
    """One process after the other, for the same work; `worked` tells a number that grows while it gets on."""

    def __init__(
        self,
        name: str,
        kind: str,
        arguments: tuple[str, ...],
        *,
        log: Path,
        worked: Callable[[], int],
        restartable: Collection[int] = (),
    ) -> None:
        self.name, self.log, self.worked = name, log, worked
        self.kills = self.restarts = 0
        self._command = [sys.executable, "-m", "tools.soak.programs", kind, *arguments]
        self._restartable = restartable
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """By SIGKILL, and at once another one for the same work."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self.kills += 1
        self.start()

    def look(self) -> str | None:
        """Starts again what ended as it may; says what ended as it must not."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self.start()
        if code in self._restartable:
            self.restarts += 1
            return None
        return f"{self.name} ended by itself with {code}: {self.last_words()}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self) -> str | None:
        """In good order; says when that does not happen."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return f"{self.name} did not stop within {STOP_S} s of being told to"
        # One that was only just started had not begun to listen to signals.
        if process.returncode in {0, -signal.SIGTERM, *self._restartable}:
            return None
        return f"{self.name} stopped with {process.returncode}: {self.last_words()}"

    def end(self) -> None:
        """By SIGKILL, without another one."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
