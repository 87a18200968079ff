"""A cheap client of HTTP: one thread, raw sockets that are kept, one call after the other on each of them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bench.program import Job, Score

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
CHUNK = 256 * 1024
PATIENCE_S = 30.0


@dataclass
class Line:
    """A connection, when its present call was sent, and what has come of the answer."""

    socket: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""
    whole: int = 0  # length of the answer, as far as it is known

    def ask(self, call: bytes) -> None:
        self.answer, self.whole = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(call)

    def is_answered(self) -> bool:
        """Takes what has come."""
        part = self.socket.recv(CHUNK)
        if not part:
            raise ConnectionError("the server ended the connection")
        self.answer += part
        if not self.whole and (end := self.answer.find(HEAD_END)) >= 0:
            head = self.answer[:end].lower()
            if not head.startswith(b"http/1.1 2"):
                raise ValueError(self.answer.decode(errors="replace"))
            start = head.index(LENGTH) + len(LENGTH)
            self.whole = end + len(HEAD_END) + int(head[start : (head + b"\r").index(b"\r", start)])
        return 0 < self.whole <= len(self.answer)


def drive(port: int, calls: Iterator[bytes], *, connections: int, seconds: float) -> list[float]:
    """Seconds of each call that was answered; one that is refused ends it."""
    took: list[float] = []
    with selectors.DefaultSelector() as selector, ExitStack() as opened:
        made = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(connections)]
        lines = [Line(opened.enter_context(one)) for one in made]
        ends = time.perf_counter() + seconds
        for line in lines:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.ask(next(calls))
        waiting = connections
        while waiting:
            for key, _ in selector.select(PATIENCE_S):
                line = key.data
                if not line.is_answered():
                    continue
                now = time.perf_counter()
                took.append(now - line.sent_at)
                if now < ends:
                    line.ask(next(calls))
                else:
                    waiting -= 1
    return took


def scored(took: list[float], seconds: float, job: Job) -> Score:
    """How many, or with `within` the time within which that share of them was answered."""
    if (share := job.get("within")) is None:
        return Score(len(took), seconds)
    return Score(1, sorted(took)[int(share * (len(took) - 1))])
