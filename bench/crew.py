"""Processes that share the work of one entrant: each gets the same order, and all answer."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from bench.program import Settings

READY = "ready"

Worker: TypeAlias = Callable[[Settings, int, Connection], None]
"""Says READY, then answers every order until it gets None; the number says which share is its own."""

Orders: TypeAlias = Callable[[Any], list[Any]]
"""Gives an order to all, and answers with the answers of all."""


@contextmanager
def crew(settings: Settings, worker: Worker) -> Iterator[Orders]:
    """As many processes as the settings say, ready before the first order."""
    context = multiprocessing.get_context("spawn")
    lines: list[Connection] = []
    processes = []
    for number in range(settings["workers"]):
        ours, theirs = context.Pipe()
        process = context.Process(target=worker, args=(settings, number, theirs), daemon=True)
        process.start()
        theirs.close()  # so that the end of a process is heard
        lines.append(ours)
        processes.append(process)
    for line in lines:
        if line.recv() != READY:
            raise ValueError("a process is not ready")

    def order(what: Any) -> list[Any]:
        for line in lines:
            line.send(what)
        return [line.recv() for line in lines]

    yield order
    for line in lines:
        line.send(None)
    for process in processes:
        process.join()
