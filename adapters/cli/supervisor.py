"""Workers as child processes: started, started again when they end, and stopped in good order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 30.0  # a worker that ran so long starts with a short pause again
LOOK_S = 0.2
STOP_S = 20.0
HALTED = 65  # the relay's word for: a person must look

Tell = Callable[..., None]  # what happened, and facts


class Worker:
    """One verb that runs on, as a process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.pause_s = FIRST_PAUSE_S
        self.started = self.start_at = 0.0
        self.halted = False

    def start(self) -> None:
        command = [sys.executable, "-m", "adapters.cli.app", self.name, "--parent", str(os.getpid())]
        # A session of its own: Ctrl-C in the terminal is for the supervisor, which stops it in good order.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)
        self.started = time.monotonic()

    def look(self, tell: Tell) -> None:
        """Starts it when it is time, and plans that when it has ended."""
        if self.process is None:
            if not self.halted and time.monotonic() >= self.start_at:
                self.start()
                tell("worker_started", worker=self.name, pid=self.pid)
            return
        if (code := self.process.poll()) is None:
            return
        self.process = None
        self.halted = code == HALTED
        if time.monotonic() - self.started > STEADY_S:
            self.pause_s = FIRST_PAUSE_S
        self.start_at = time.monotonic() + self.pause_s
        again: dict[str, Any] = {"halted": True} if self.halted else {"restart_in_s": self.pause_s}
        tell("worker_ended", worker=self.name, exit_code=code, **again)
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None


def supervise(names: Sequence[str], stop: threading.Event, tell: Tell) -> None:
    """Keeps the workers running until told to stop, and then ends them; none outlives this."""
    workers = [Worker(name) for name in names]
    try:
        while not stop.is_set():
            for worker in workers:
                worker.look(tell)
            stop.wait(LOOK_S)
    finally:
        processes = [worker.process for worker in workers if worker.process]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
