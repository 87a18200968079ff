"""Plays a story on a database and a provider of its own, lets it die at a point, and sees how it ends."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

import psycopg

from tests.system.money.endings import Ending, complaints_about, ending_of
from tests.system.money.kill_points import Point, Watch, watched
from tests.system.money.stories import BOUGHT, STORIES, Stage
from tests.system.money.world import IN_TIME, World, opened

After = Literal["again", "run", "late"]
"""The client sends its command again; or only the run comes, in time; or only the run, three days later."""

LATE = timedelta(days=3)
SURVIVED = 3
TABLES = ("events", "commands", "personal_facts", "snapshots")


class Place(NamedTuple):
    """A database as a URL with a gap for its name, and the folder of the provider's files: how a story is prepared."""

    url: str
    folder: Path
    story: str

    @property
    def template(self) -> str:
        return "story_" + self.story.replace(" ", "_")

    @property
    def file(self) -> Path:
        return self.folder / f"{self.template}.sqlite"


class Case(NamedTuple):
    """A kill in a stage of a story, and who comes after it."""

    place: Place
    stage: int
    point: Point
    after: After

    def begun_in(self, traced: list[list[str]]) -> bool:
        """Whether what was asked is done in the end: the client comes back, or has left something behind."""
        if self.after == "again" or STORIES[self.place.story].stages[self.stage].by == "run":
            return True
        trace = traced[self.stage]
        return self.point.is_later_than(next(step for step, name in enumerate(trace) if name.startswith("append")))

    def __str__(self) -> str:
        return f"{self.place.story}, stage {self.stage}, {self.point.side} step {self.point.step}, {self.after}"


def prepare(place: Place) -> None:
    """What comes before the stages, kept in files: everything else starts from them."""
    if place.file.exists():
        return
    url = place.url.format(database_of_this_process(place.url))
    restore(url, place.folder / "money")
    with opened(url, place.file, BOUGHT) as world:
        world.found()
        STORIES[place.story].before(world)
    keep(url, place.folder / place.template)


@contextmanager
def copied(place: Place) -> Iterator[tuple[str, Path]]:
    """A database and a provider as they were prepared."""
    url = place.url.format(database_of_this_process(place.url))
    restore(url, place.folder / place.template)
    file = place.folder / f"copy_{uuid4().hex}.sqlite"
    shutil.copy(place.file, file)
    try:
        yield url, file
    finally:
        for left in place.folder.glob(f"{file.name}*"):
            left.unlink()


@cache
def database_of_this_process(url: str) -> str:
    """A database that can be put back to what was kept: much faster than another one for each case."""
    name = f"money_{os.getpid()}"
    with psycopg.connect(url.format("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE money'.encode())
    with psycopg.connect(url.format(name)) as superuser:
        for table in TABLES:
            superuser.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER".encode())
    return name


def keep(url: str, name: Path) -> None:
    """Everything that is recorded, into files of this name."""
    with psycopg.connect(url) as superuser, superuser.cursor() as cursor:
        for table in TABLES:
            with cursor.copy(f"COPY ledger.{table} TO STDOUT (FORMAT binary)".encode()) as rows:
                name.with_suffix(f".{table}").write_bytes(b"".join(bytes(row) for row in rows))


def restore(url: str, name: Path) -> None:
    with psycopg.connect(url) as superuser, superuser.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM ledger.{table}".encode())  # noqa: S608 - our own words
            with cursor.copy(f"COPY ledger.{table} FROM STDIN (FORMAT binary)".encode()) as rows:
                rows.write(name.with_suffix(f".{table}").read_bytes())


def traces(place: Place) -> list[list[str]]:
    """The steps of each stage."""
    found = []
    with copied(place) as (url, file), opened(url, file, BOUGHT) as world:
        for stage in STORIES[place.story].stages:
            watch = Watch()
            world.time.now = stage.at
            with watched(world, watch):
                stage.act(world)
            found.append(watch.trace)
    return found


def calm(place: Place, number: int, after: After, *, begun: bool) -> Ending:
    """How it ends where nobody dies, with the run coming when it comes after a kill in this stage.

    Not `begun`: a client died before anything was recorded, and does not come back; so nothing was ever asked.
    """
    stages = STORIES[place.story].stages
    with copied(place) as (url, file), opened(url, file, BOUGHT) as world:
        for stage in stages[: number + begun]:
            world.time.now = stage.at
            stage.act(world)
        world.runs(stages[number].at + delay(after))
        go_on(world, stages[number + 1 :], after)
        assert complaints_about(world) == []
        return ending_of(world)


def delay(after: After) -> timedelta:
    """How long after the kill the run comes."""
    return LATE if after == "late" else IN_TIME


def go_on(world: World, stages: Sequence[Stage], after: After) -> None:
    for stage in stages:
        if stage.by == "run" or after == "again":
            world.time.now = max(stage.at, world.time.now)
            stage.act(world)


def killed(case: Case) -> tuple[Ending, list[str]]:
    """The ending after a kill in a stage, and what is wrong with it."""
    stages = STORIES[case.place.story].stages
    stage = stages[case.stage]
    with copied(case.place) as (url, file):
        die(url, file, stages[: case.stage + 1], case.point)
        with opened(url, file, BOUGHT) as world:
            wrong = []
            if case.after == "again":
                world.time.now = stage.at
                stage.act(world)
                wrong = [f"held after the answer: {hold}" for hold in world.sandbox.holds()]
            world.runs(stage.at + delay(case.after))
            go_on(world, stages[case.stage + 1 :], case.after)
            return ending_of(world), wrong + complaints_about(world)


def die(url: str, file: Path, stages: Sequence[Stage], point: Point) -> None:
    """A process of its own plays the stages and dies in the last one; its connections are its own."""
    child = os.fork()
    if child == 0:
        try:
            with opened(url, file, BOUGHT) as world:
                for stage in stages[:-1]:
                    world.time.now = stage.at
                    stage.act(world)
                world.time.now = stages[-1].at
                with watched(world, Watch(point)):
                    stages[-1].act(world)
        finally:
            os._exit(SURVIVED)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it did not die, but ended with {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def differences(case: Case, expected: Ending) -> list[str]:
    """What a kill has changed; said with the point, to be read in a list of many.

    The run comes eleven minutes after the kill, so instants differ. Three days later so do dates, attempts and
    windows: then what is owned, owed and paid is compared.
    """
    try:
        ending, wrong = killed(case)
    except Exception as error:  # noqa: BLE001 - one point of many: the others are looked at as well
        return [f"{case}: {error!r}"]
    if case.after == "run":
        ending, expected = ending.without_instants(), expected.without_instants()
    if case.after != "late":
        wrong += streams_that_differ(ending, expected)
        if ending.provider != expected.provider:
            wrong.append(f"the provider has {ending.provider} and not {expected.provider}")
    for one in ending.figures.keys() | expected.figures.keys():
        if ending.figures.get(one) != expected.figures.get(one):
            wrong.append(f"{one} has {ending.figures.get(one)} and not {expected.figures.get(one)}")
    return [f"{case}: {what}" for what in wrong]


def streams_that_differ(ending: Ending, expected: Ending) -> list[str]:
    wrong = []
    for one in ending.streams.keys() | expected.streams.keys():
        got, wanted = ending.streams.get(one, []), expected.streams.get(one, [])
        if got != wanted:
            got_names, wanted_names = ([topic for topic, _ in events] for events in (got, wanted))
            first = next((pair for pair in zip(got, wanted, strict=False) if pair[0] != pair[1]), None)
            wrong.append(f"{one} told {got_names} and not {wanted_names}; first: {first}")
    return wrong
