"""Progress of what takes long: a bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.cli.answer import console_on

SHORT = 1_000  # of these nothing is told
STEPS = 10  # lines where there is no terminal


@contextmanager
def told_progress(done: str, things: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives what is to be called with how many more are done."""
    if total < SHORT:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console_on(sys.stderr), transient=True) as progress:
            task = progress.add_task(f"{done} {things}", total=total)
            yield lambda more: progress.advance(task, more)
    else:
        yield Lines(done, things, total).advance


class Lines:
    """A line for each tenth."""

    def __init__(self, done: str, things: str, total: int) -> None:
        self.done, self.things, self.total = done, things, total
        self.count = self.told = 0

    def advance(self, more: int) -> None:
        self.count += more
        if self.count * STEPS // self.total > self.told:
            self.told = self.count * STEPS // self.total
            typer.echo(f"{self.done} {self.count:,} of {self.total:,} {self.things}", err=True)
