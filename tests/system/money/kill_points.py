"""Kill points: every call of the provider and every append to history, found by a traced run, before and after each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from services.ports import Recorder
from tests.system.money.world import World

# `limits` is left out: it answers from a table, and calls nobody.
CALLS = frozenset({"store", "edit", "forget", "authorize", "charge", "capture", "release", "refund", "find"})


class Point(NamedTuple):
    """Where a process dies: just before a step of its trace, or just after it."""

    step: int
    side: Literal["before", "after"]

    def is_later_than(self, step: int) -> bool:
        """Whether this step was done."""
        return self.step > step or self == Point(step, "after")


@dataclass
class Watch:
    """Hears of every step, and kills the process where it is told to; or does something else there."""

    at: Point | None = None
    then: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)
    trace: list[str] = field(default_factory=list)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        step = len(self.trace)
        self.trace.append(name)
        if self.at == Point(step, "before"):
            self.then()
        answer = call()
        if self.at == Point(step, "after"):
            self.then()
        return answer


class Watched:
    """The provider, or the history, with a watch on what it does."""

    def __init__(self, real: Any, names: frozenset[str], watch: Watch) -> None:
        self._real, self._names, self._watch = real, names, watch

    def together(self) -> AbstractContextManager[None]:
        """Every call counts at once, as with a provider elsewhere: the sandbox would undo it where we are killed."""
        return nullcontext()

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._real, name)
        if name not in self._names:
            return member
        return lambda *args, **kwargs: self._watch.around(named(name, args), lambda: member(*args, **kwargs))


def named(name: str, args: tuple[Any, ...]) -> str:
    """`charge`, or `append` with the names of the events."""
    if name != "append":
        return name
    return " ".join([name, *(event.topic.removeprefix("seatledger.") for event in args[0])])


@contextmanager
def watched(world: World, watch: Watch) -> Iterator[World]:
    """The world under watch."""
    sandbox, history = world.sandbox, world.ledger.history
    world.sandbox = cast("Any", Watched(sandbox, CALLS, watch))
    world.ledger.history = cast("Recorder", Watched(history, frozenset({"append"}), watch))
    try:
        yield world
    finally:
        world.sandbox, world.ledger.history = sandbox, history


def points_of(trace: list[str]) -> list[Point]:
    """Both sides of every step."""
    return [Point(step, side) for step in range(len(trace)) for side in ("before", "after")]
