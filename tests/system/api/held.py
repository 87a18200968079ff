"""Calls that wait inside the server: the database holds them up until the test lets go."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg

from tools.soak.api_server import ApiProcess

PATIENCE_S = 20.0
IN_FLIGHT = "seatledger_http_in_flight "


@contextmanager
def saves_wait(url: str) -> Iterator[Callable[[], None]]:
    """Nobody's save comes to its end until this is called, or the block is left."""
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE ledger.commands IN ACCESS EXCLUSIVE MODE")
        yield holder.rollback


@contextmanager
def meanwhile(*acts: Callable[[], httpx.Response]) -> Iterator[list[Future[httpx.Response]]]:
    """All at once, each in a thread of its own."""
    with ThreadPoolExecutor(len(acts)) as threads:
        yield [threads.submit(act) for act in acts]


def in_flight(process: ApiProcess) -> int:
    """Calls that are being answered, this question left out."""
    said = httpx.get(f"{process.address}/metrics", timeout=10).text
    line = next(line for line in said.splitlines() if line.startswith(IN_FLIGHT))
    return int(float(line.removeprefix(IN_FLIGHT))) - 1


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def connected(process: ApiProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE_S)


def head_of(path: str, token: str, length: int) -> bytes:
    """The head of a POST whose body is to come."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Idempotency-Key: slow",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
