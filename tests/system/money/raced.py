"""Plays a story up to a step, lets somebody else act there, and goes on: the races that load would find one day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from domain.refusals import Refusal
from tests.system.money.endings import Ending, complaints_about, ending_of
from tests.system.money.kill_points import Point, Watch, watched
from tests.system.money.played import Place, copied
from tests.system.money.stories import BOUGHT, STORIES, Stage
from tests.system.money.world import IN_TIME, opened

Rival = Literal["same", "run", "other"]
"""The same command is sent by another process; or the first is slow, and the run comes; or another purchase comes."""

STORIES_OF_CLIENTS = [name for name, story in STORIES.items() if story.stages[0].by == "client"]


class Race(NamedTuple):
    """What a rival does at a point of a story's first stage."""

    place: Place
    point: Point
    rival: Rival

    def __str__(self) -> str:
        return f"{self.place.story}, {self.rival} {self.point.side} step {self.point.step}"


def raced(race: Race, expected: Ending | None) -> list[str]:
    """What is wrong after the race."""
    story = STORIES[race.place.story]
    with copied(race.place) as (url, file), opened(url, file, BOUGHT) as world:
        stage = story.stages[0]
        world.time.now = stage.at
        with watched(world, Watch(race.point, lambda: acts(race.rival, stage, url, file))):
            wrong = refusals_of(lambda: stage.act(world))
        later = IN_TIME if race.rival != "run" else 2 * IN_TIME
        world.runs(stage.at + later)
        for further in story.stages[1:]:
            world.runs(further.at)
        wrong += complaints_about(world)
        ending = ending_of(world)
    if expected and ending.figures != expected.figures:
        wrong.append(f"it ends with {ending.figures} and not {expected.figures}")
    if expected and race.rival == "same" and ending.streams != expected.streams:
        wrong.append("other events were told than by one alone")
    return [f"{race}: {what}" for what in wrong]


def acts(rival: Rival, stage: Stage, url: str, file: Path) -> None:
    """On connections of its own, to its end."""
    with opened(url, file, stage.at + (IN_TIME if rival == "run" else timedelta(0))) as world:
        match rival:
            case "same":
                stage.act(world)
            case "run":
                world.runs()
            case "other":
                world.buys(2, name="other")


def refusals_of(act: Callable[[], object]) -> list[str]:
    try:
        act()
    except Refusal as refusal:
        return [f"refused: {refusal!r}"]
    except Exception as error:  # noqa: BLE001 - one race of many
        return [f"failed: {error!r}"]
    return []
