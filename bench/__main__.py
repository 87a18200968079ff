"""`make bench`: plays the contests, shows a table, and keeps the results as data."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from adapters.embedded.server import EmbeddedServerFailed
from adapters.postgres.errors import StartRefused
from bench.arena import DATABASE_URL, Arena, arena
from bench.contest import Outcome, contest
from bench.entrants import EntrantFailed, Programs
from bench.history import Tell
from bench.machine import machine, versions
from bench.report import table, write
from bench.sections import SECTIONS
from bench.stage import Scale, Skipped, Stage
from services.ports import LedgerUnavailable

FAILURES = (EntrantFailed, EmbeddedServerFailed, StartRefused, LedgerUnavailable, psycopg.OperationalError)
BUSY = 0.5  # of the cores; with more the figures are not worth much


class Run:
    """One run: what was found so far, and what the reader must know of it."""

    def __init__(self, scale: Scale, seed: int, *, quick: bool, console: Console) -> None:
        self.outcomes: list[Outcome] = []
        self.scale, self.seed, self.console = scale, seed, console
        self.about: dict[str, Any] = {
            "started_at": now(),
            "complete": False,
            "quick": quick,
            "seed": seed,
            "scale": scale._asdict(),
            "machine": machine(),
            "versions": versions(),
            "skipped": {},
        }

    def play(self, names: list[str], here: Arena) -> None:
        self.about["server"] = here.facts
        with shown(self.console) as progress:
            for name in names:
                try:
                    self._section(name, here, progress)
                except Skipped as skipped:
                    self.about["skipped"][name] = str(skipped)
        self.about["complete"] = True

    def _section(self, name: str, here: Arena, progress: Progress) -> None:
        def preparing(what: str) -> Tell:
            task = progress.add_task(f"preparing {what}", total=1.0)
            return lambda share: advance(progress, task, share)

        stage = Stage(here, self.scale, self.seed, preparing)
        with Programs() as programs:
            for cell in SECTIONS[name](stage):
                task = progress.add_task(f"{cell.section}: {cell.name}", total=self.scale.rounds)
                outcome = contest(
                    cell,
                    lambda entrant, job: programs.get(entrant.module, entrant.settings).play(job),
                    rounds=self.scale.rounds,
                    seed=self.seed,
                    tell=lambda rounds, task=task: advance(progress, task, rounds),  # type: ignore[misc]
                )
                self.outcomes.append(outcome)

    def show(self) -> None:
        """The table, and what its reader must know."""
        tell = self.console.print
        tell(table(self.outcomes))
        for name, why in self.about["skipped"].items():
            tell(f"{name} was skipped: {why}")
        if not self.about["complete"]:
            tell("The run was ended early: some figures are missing.")
        if self.about["quick"]:
            tell("A quick run shows that everything works; its figures are worth nothing.")
        if self.about["machine"]["load_average"] > BUSY * (self.about["machine"]["cores"] or 1):
            tell(f"Other programs were busy (load {self.about['machine']['load_average']:.1f}): run it again in peace.")
        missed = sum(line.verdict == "not reached" for outcome in self.outcomes for line in outcome.lines())
        tell(
            f"{missed or 'No'} target{'' if missed == 1 else 's'} not reached. Repeat this run with --seed {self.seed}"
        )


@contextmanager
def shown(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def advance(progress: Progress, task: TaskID, done: float) -> None:
    """Moves a bar; where there is no terminal, says what has come to its end."""
    progress.update(task, completed=done)
    if progress.tasks[task].finished:
        if not progress.console.is_terminal:
            progress.console.print(f"done: {progress.tasks[task].description}")
        progress.update(task, visible=False)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def main(  # noqa: PLR0917 - typer calls it by name
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(SECTIONS)}; may be said again.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small and short: to see that it works.")] = False,  # noqa: FBT002
    seed: Annotated[int | None, typer.Option(help="Repeats the order and the organizations of a run.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often each contest is repeated.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.05, help="How long an appending round is.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the results go as JSON.")] = None,
) -> None:
    """Measures the ledger against its ceilings, in rounds that alternate between them.

    A throw-away PostgreSQL and Kafka are used, or the PostgreSQL that SEATLEDGER_BENCH_DATABASE_URL names: there the
    run makes databases of its own and drops them. Targets that are not reached are told, and are no failure.
    """
    console = Console(width=None if sys.stdout.isatty() else 170)
    if unknown := set(only or ()) - set(SECTIONS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}", param_hint="--only")
    scale = Scale.quick() if quick else Scale()
    scale = scale._replace(rounds=rounds or scale.rounds, seconds=seconds or scale.seconds)
    run = Run(scale, random.randrange(10**6) if seed is None else seed, quick=quick, console=console)  # noqa: S311
    names = [name for name in SECTIONS if not only or name in only]
    try:
        with arena() as here:
            run.play(names, here)
    except FAILURES as failure:
        console.print(f"the bench cannot go on: {failure}; see {DATABASE_URL}" if not run.outcomes else f"{failure}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        run.about["finished_at"] = now()
        if run.outcomes:
            path = out or Path(".seatledger", "bench", f"{run.about['started_at'].replace(':', '')}.json")
            write(path, run.about, run.outcomes)
            run.show()
            console.print(f"All figures: {path}")


if __name__ == "__main__":
    program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    program.command()(main)
    program()
