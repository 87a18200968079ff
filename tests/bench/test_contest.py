"""Rounds, ratios and verdicts, with entrants whose speed is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.contest import Better, Cell, Entrant, Outcome, Spread, Target, contest
from bench.program import Score

OURS, CEILING = Entrant("ours", "a.module", {}), Entrant("ceiling", "another.module", {}, {"few": 5})


def a_cell(*targets: Target, better: Better = "higher", opponents: tuple[Entrant, ...] = (CEILING,)) -> Cell:
    return Cell("append", "a cell", "saves/s", OURS, opponents, {"seconds": 1}, targets, better)


def played(cell: Cell, ours: float, ceiling: float, seed: int = 1) -> tuple[Outcome, list[tuple[str, dict[str, Any]]]]:
    """The outcome, and each job in its order."""
    jobs: list[tuple[str, dict[str, Any]]] = []

    def play(entrant: Entrant, job: Mapping[str, Any]) -> Score:
        jobs.append((entrant.name, dict(job)))
        return Score(int(ours if entrant is OURS else ceiling), 2.0)

    return contest(cell, play, rounds=3, seed=seed, tell=lambda _: None), jobs


def test_every_entrant_plays_once_a_round_and_the_first_round_does_not_count() -> None:
    outcome, jobs = played(a_cell(), 100, 400)
    assert [sorted(name for name, _ in jobs[start : start + 2]) for start in range(0, 8, 2)] == [
        ["ceiling", "ours"]
    ] * 4
    assert outcome.rounds == {"ours": [50.0] * 3, "ceiling": [200.0] * 3}


def test_a_seed_repeats_the_order_and_the_organizations() -> None:
    assert played(a_cell(), 1, 1, seed=7)[1] == played(a_cell(), 1, 1, seed=7)[1]
    assert played(a_cell(), 1, 1, seed=7)[1] != played(a_cell(), 1, 1, seed=8)[1]


def test_the_entrants_of_a_round_have_the_same_seed_and_their_own_words() -> None:
    _, jobs = played(a_cell(), 1, 1)
    for start in range(0, len(jobs), 2):
        of_round = dict(jobs[start : start + 2])
        assert of_round["ours"]["seed"] == of_round["ceiling"]["seed"]
        assert of_round["ceiling"]["few"] == 5
        assert "few" not in of_round["ours"]


@pytest.mark.parametrize(("ours", "verdict"), [(100, "reached"), (99, "not reached")])
def test_a_rate_is_judged_by_its_ratio_to_the_ceiling(ours: int, verdict: str) -> None:
    (line,) = played(a_cell(Target(0.5, "ceiling")), ours, 200)[0].lines()
    assert line.ratio == Spread.of([ours / 200] * 3)
    assert line.verdict == verdict


@pytest.mark.parametrize(("done", "verdict"), [(50, "reached"), (49, "not reached")])
def test_a_time_is_judged_by_itself_where_nobody_else_plays(done: int, verdict: str) -> None:
    (line,) = played(a_cell(Target(40), better="lower", opponents=()), done, 0)[0].lines()
    assert (line.opponent, line.verdict) == (None, verdict)


def test_what_has_no_target_has_no_verdict() -> None:
    (line,) = played(a_cell(), 1, 100)[0].lines()
    assert (line.target, line.verdict) == (None, "")
