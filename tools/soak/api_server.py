"""The HTTP API as a process of its own, on one port for all its lives: to be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_S = 60.0
STOP_S = 30.0  # more than the server gives itself
LOOK_S = 0.02
PREFIX = "SEATLEDGER_"
SEATLEDGER = ("adapters.cli.app", "api")


class ApiProcess:
    """`seatledger api` with these settings and no others, or another server of HTTP; what it says goes into `log`."""

    def __init__(self, settings: dict[str, Any], log: Path, program: Sequence[str] = SEATLEDGER) -> None:
        self.log, self.program = log, program
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        said = {f"{PREFIX}{name}".upper(): str(value) for name, value in settings.items()}
        self._environment = {**kept, **said, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process, "it was started"  # noqa: S101
        return self._process

    def start(self) -> None:
        """Until it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self.program, "--port", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the API did not start: {self.last_words()}")
            time.sleep(LOOK_S)

    def answers(self) -> bool:
        """Whether it answers that it is alive, on a connection of its own."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return line.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False

    def kill(self) -> None:
        """By SIGKILL, wherever it stands."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """Tells it to stop in good order, and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """It is gone, whatever happened."""
        if self._process and self._process.poll() is None:
            self.kill()

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextmanager
def api_process(settings: dict[str, Any], log: Path, program: Sequence[str] = SEATLEDGER) -> Iterator[ApiProcess]:
    """Started, and gone at the end."""
    api = ApiProcess(settings, log, program)
    try:
        api.start()
        yield api
    finally:
        api.end()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])
