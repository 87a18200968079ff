"""A process beside a relay that is far behind: it reads and translates, and leaves the relay only the sending.

Python runs one thread at a time, and to make a message takes about as long as to send it. The process hands out whole
batches in their order and nothing else. Whatever else it meets, it ends: the relay then goes on by itself, from the
last batch that it was given, meets the same if it is still there, and tells it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from adapters.kafka.batch import Batch, translate
from adapters.postgres.follower import Follower
from adapters.postgres.session import PROJECTOR

SESSION_NAME = "seatledger relay reader"
READY = "ready"
PATIENCE_S = 30.0  # with it, before the relay goes on without it
WRITERS_S, LOOK_S = 1.0, 0.005  # so long it waits for those who write before it takes that for the end


@dataclass(frozen=True)
class Reading:
    """What is read, and how it is told."""

    database_url: str = field(repr=False)
    source: str
    limit: int
    edition: int
    skips: Mapping[int, bytes]


class ReaderProcess:
    """Begins to start when it is made, and to read when it is asked; ends with the relay, however that ends."""

    def __init__(self, reading: Reading) -> None:
        self._pipe, its_end = Pipe()
        with its_end:
            number = its_end.fileno()
            command = [sys.executable, "-m", "adapters.workers.relay_reader", str(number)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[number])
        with suppress(OSError):  # it has ended: that is seen when it is asked
            self._pipe.send(reading)  # and not on the command line, where all may read the URL
        self._asked = False

    def ready(self) -> bool:
        """Whether it has started, or ended."""
        return self._asked or self._pipe.poll()

    def next(self, after: int) -> Batch | None:
        """The first batch after the position, then the next ones; None: it ends, and there may be more."""
        try:
            if not self._asked:
                self._pipe.recv()
                self._pipe.send(after)
                self._asked = True
            return self._pipe.recv() if self._pipe.poll(PATIENCE_S) else None
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """Ends it; may be said again."""
        self.process.kill()
        self.process.wait()


def read_for(pipe: Connection) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the keyboard it is for the relay
    with pipe, suppress(Exception):  # its text may quote a row, and the relay meets the same
        reading = pipe.recv()
        pipe.send(READY)
        for batch in full_batches(reading, pipe.recv()):
            pipe.send(batch)


def full_batches(reading: Reading, after: int) -> Iterator[Batch]:
    """As long as they are full, and all of it can go out."""
    with Follower(reading.database_url, after, role=PROJECTOR, session_name=SESSION_NAME) as follower:
        waits_until = time.monotonic() + WRITERS_S
        while True:
            events = follower.poll(reading.limit)
            if not events and time.monotonic() < waits_until:
                time.sleep(LOOK_S)
                continue
            if len(events) < reading.limit:
                return
            batch = translate(events, reading.source, reading.edition, reading.skips)
            if batch.stuck:
                return
            yield batch
            waits_until = time.monotonic() + WRITERS_S


if __name__ == "__main__":
    read_for(Connection(int(sys.argv[1])))
