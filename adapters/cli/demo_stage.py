"""The stage of the demo: servers and workers of its own, and verbs run as people type them."""

from __future__ import annotations

import io
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, Self

from adapters.embedded.server import EmbeddedServerFailed
from adapters.settings import PREFIX, Settings

START_S = 240.0  # a first start may fetch a broker
STOP_S = 60.0


class Outcome(NamedTuple):
    """How a verb ended, and its document."""

    exit_code: int
    data: dict[str, Any]

    @property
    def refusal(self) -> str | None:
        """The code of the refusal; None: it was carried out."""
        return self.data["error"]["code"] if "error" in self.data else None


class Stage:
    """Runs verbs in this process against the servers of `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home=home, database_url=None, migration_database_url=None, kafka_bootstrap=None)
        self.broker_kind = self.broker_bootstrap = ""
        self.api_address = ""

    def run(self, *words: str) -> Outcome:
        """Runs a verb with --json."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            code = self._run([*words, "--json"])
        return Outcome(code, json.loads(out.getvalue()))

    def shown(self, *words: str) -> str:
        """What people see of a verb."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            self._run(list(words))
        return out.getvalue()

    def _run(self, words: list[str]) -> int:
        from adapters.cli.app import run  # which knows all verbs, also the one that calls this

        return run(words, self.settings)

    @contextmanager
    def up(self) -> Iterator[Self]:
        """`seatledger up` in the background until the end, in a home of its own."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        port = str(free_port())  # the usual one may be taken by the user's own house
        environment |= {f"{PREFIX}HOME": str(self.home), f"{PREFIX}LOG_LEVEL": "warning", f"{PREFIX}API_PORT": port}
        log = self.home / "up.log"
        command = [sys.executable, "-m", "adapters.cli.app", "up", "--json"]
        with log.open("w", encoding="utf-8") as said:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us; we stop it
            )
        too_late = threading.Timer(START_S, process.terminate)
        try:
            too_late.start()
            self._wait_for_workers(process, log)
            too_late.cancel()
            # What it says later is not wanted, and a full pipe would stop it.
            threading.Thread(target=process.stdout.read, daemon=True).start()  # type: ignore[union-attr]
            yield self
        finally:
            too_late.cancel()
            process.terminate()
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _wait_for_workers(self, process: subprocess.Popen[str], log: Path) -> None:
        for line in process.stdout or ():
            told = json.loads(line)
            if told["event"] == "broker":
                self.broker_kind, self.broker_bootstrap = told["kind"], told["bootstrap"]
            if told["event"] == "api":
                self.api_address = told["address"]
            if told["event"] == "worker_started" and told["worker"] == "relay":
                return
        said = log.read_text(encoding="utf-8").strip().splitlines() or ["it did not say why"]
        raise EmbeddedServerFailed(f"the demo's servers did not start: {said[-1]} (log: {log})")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def typed(words: tuple[str, ...]) -> str:
    """The command as people type it."""
    return shlex.join(("seatledger", *words))
