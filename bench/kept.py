"""Rounds that are too long to be played again for every figure that they give."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class KeptRounds(Generic[T]):
    """What was measured, round by round, for all that is asked of it."""

    def __init__(self) -> None:
        self._rounds: defaultdict[str, list[T]] = defaultdict(list)
        self._asked: Counter[tuple[str, str]] = Counter()

    def next(self, kind: str, what: str, play: Callable[[], T]) -> T:
        """The first round of a kind that was not asked this; plays a new one where there is none."""
        rounds, number = self._rounds[kind], self._asked[kind, what]
        if number == len(rounds):
            rounds.append(play())
        self._asked[kind, what] += 1
        return rounds[number]
