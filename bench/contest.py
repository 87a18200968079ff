"""What is compared with what, how often, and whether it is enough."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from bench.program import Score

Better: TypeAlias = Literal["higher", "lower"]
Verdict: TypeAlias = Literal["reached", "not reached", ""]


class Spread(NamedTuple):
    """The median of some rounds, and how far they lie apart."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


class Target(NamedTuple):
    """What is promised: of the figure itself, or of its ratio to an opponent."""

    value: float
    against: str | None = None


class Entrant(NamedTuple):
    """A program that takes part, what it works on, and what its jobs say besides those of the cell."""

    name: str
    module: str
    settings: Mapping[str, Any]
    job: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Cell:
    """One line of the table: ours against its opponents, in rounds that alternate between them."""

    section: str
    name: str
    unit: str  # what is done, for people
    ours: Entrant
    opponents: tuple[Entrant, ...]
    job: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    better: Better = "higher"  # a rate; lower: milliseconds for each
    rounds: int | None = None  # where fewer than usual must do
    cold: bool = False  # every round begins anew, so that none is played to get warm

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        return self.ours, *self.opponents

    def figure(self, score: Score) -> float:
        """Done in a second, or milliseconds for each."""
        if self.better == "higher":
            return score.done / score.seconds
        return 1000 * score.seconds / score.done

    def verdict(self, target: Target, figure: float) -> Verdict:
        enough = figure >= target.value if self.better == "higher" else figure <= target.value
        return "reached" if enough else "not reached"


@dataclass(frozen=True)
class Line:
    """Ours against one opponent, or alone."""

    opponent: str | None
    figure: Spread | None  # of the opponent
    ratio: Spread | None
    target: Target | None
    verdict: Verdict


@dataclass(frozen=True)
class Outcome:
    """A cell and what each round of each entrant gave."""

    cell: Cell
    rounds: Mapping[str, Sequence[float]]

    @property
    def figure(self) -> Spread:
        return Spread.of(self.rounds[self.cell.ours.name])

    def lines(self) -> list[Line]:
        return [self._line(opponent.name) for opponent in self.cell.opponents] or [self._alone()]

    def _line(self, opponent: str) -> Line:
        pairs = zip(self.rounds[self.cell.ours.name], self.rounds[opponent], strict=True)
        ratio = Spread.of([ours / theirs for ours, theirs in pairs])
        target = next((target for target in self.cell.targets if target.against == opponent), None)
        verdict: Verdict = self.cell.verdict(target, ratio.median) if target else ""
        return Line(opponent, Spread.of(self.rounds[opponent]), ratio, target, verdict)

    def _alone(self) -> Line:
        target = next((target for target in self.cell.targets if target.against is None), None)
        verdict: Verdict = self.cell.verdict(target, self.figure.median) if target else ""
        return Line(None, None, None, target, verdict)


Play: TypeAlias = Callable[[Entrant, Mapping[str, Any]], Score]


def contest(cell: Cell, play: Play, *, rounds: int, seed: int, tell: Callable[[int], None]) -> Outcome:
    """Plays so many rounds, where nothing is cold after one that does not count; in each every entrant once, in an
    order drawn anew.
    """
    order = random.Random(f"{seed}/{cell.section}/{cell.name}")  # noqa: S311 - to repeat a run
    found: dict[str, list[float]] = {entrant.name: [] for entrant in cell.entrants}
    for number in range(1 if cell.cold else 0, min(rounds, cell.rounds or rounds) + 1):
        for entrant in order.sample(cell.entrants, len(cell.entrants)):
            # All entrants of a round draw the same organizations.
            score = play(entrant, {**cell.job, **entrant.job, "seed": f"{seed}/{cell.name}/{number}"})
            if number:
                found[entrant.name].append(cell.figure(score))
        tell(number)
    return Outcome(cell, found)
