"""The relay's worker as a process of its own, as `seatledger relay` runs it, which says when it leads and is done.

It ends when its standard input does: with whoever started it, whatever becomes of that one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psutil

from adapters.kafka.topic_settings import Topics
from adapters.workers.relay import RelaySettings, run_as_process
from adapters.workers.relay_metrics import RelayMetrics

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0
PATIENCE_S = 840.0  # less than who waits for the score has
END_S = 15.0
MIB = 2**20


class CaughtUp(NamedTuple):
    """When a relay was done, and what it held until then, in MiB, look by look."""

    at: float
    held: list[float]


class RelayProcess:
    """A relay that runs until the end of the `with`, and says so when it has published up to `until`."""

    def __init__(self, database: str, bootstrap: str, topics: Topics, until: int = sys.maxsize) -> None:
        told = [database, bootstrap, topics.events, topics.position, until]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.relay_program", json.dumps(told)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # so that no line waits unseen
        )

    def leads(self) -> float:
        """Waits until it begins to publish, and answers when that was."""
        if not self._has_spoken(START_S):
            raise ValueError("the relay does not begin")
        return self._moment()

    def catches_up(self, *, every_s: float) -> CaughtUp:
        """Waits until it is done, and looks every so often at what it holds."""
        relay, held = psutil.Process(self._process.pid), list[float]()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            held.append(held_by(relay) / MIB)
            if self._has_spoken(every_s):
                return CaughtUp(self._moment(), held)
            if time.monotonic() > deadline:
                raise ValueError(f"the relay was not done within {PATIENCE_S:g} s")

    def _has_spoken(self, timeout_s: float) -> bool:
        assert self._process.stdout  # noqa: S101 - it was asked for
        return bool(select.select([self._process.stdout], [], [], timeout_s)[0])

    def _moment(self) -> float:
        assert self._process.stdout  # noqa: S101 - it was asked for
        if not (said := self._process.stdout.readline()):
            raise ValueError("the relay ended")
        return float(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def held_by(relay: psutil.Process) -> int:
    """Bytes of the process, and of the one beside it as long as there is one."""
    held = relay.memory_info().rss
    with suppress(psutil.NoSuchProcess):  # it may end meanwhile
        held += sum(one.memory_info().rss for one in relay.children())
    return int(held)


class Observed(RelayMetrics):
    """Says two moments: when it leads, and when it has published so far."""

    def __init__(self, until: int, say: Callable[[float], object]) -> None:
        super().__init__()
        self._until, self._say, self._done = until, say, False

    def leads(self, position: int) -> None:
        super().leads(position)
        self._say(time.monotonic())

    def published(self, position: int, head: int, events: int, seconds: float) -> None:
        super().published(position, head, events, seconds)
        if position >= self._until and not self._done:
            self._done = True
            self._say(time.monotonic())


def end_with_standard_input() -> None:
    """Tells this process to stop when nobody can speak to it any more."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    database, bootstrap, events, position, until = json.loads(sys.argv[1])
    moments = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what it logs is no moment
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    metrics = Observed(until, lambda moment: moments.write(f"{moment}\n"))
    ending = run_as_process(RelaySettings(database, bootstrap, Topics(events, position), metrics=metrics))
    sys.stderr.flush()
    os._exit(ending)  # a thread of the Kafka client may hang, and one waits for input


if __name__ == "__main__":
    main()
