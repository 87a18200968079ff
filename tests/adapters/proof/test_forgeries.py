"""Nothing that was changed is taken for true, and nothing makes a reader stumble."""

from __future__ import annotations

import random

import pytest

from tests.adapters.proof.forgeries import CHANGES, TARGETS, forge

FORGERIES = 60 * len(TARGETS) * len(CHANGES)


def test_no_forgery_is_accepted() -> None:
    done, complaints = forge(FORGERIES, seed=20261126)
    assert complaints == []
    assert sum(done.values()) == FORGERIES >= 5_000
    refused = sum(count for kind, count in done.items() if kind.endswith("refused"))
    assert refused > 0.8 * FORGERIES, done


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_genuine_is_accepted(target: str) -> None:
    for seed in range(20):
        genuine = TARGETS[target].genuine(random.Random(seed))  # noqa: S311 - not a secret
        assert TARGETS[target].wrong(genuine) is None
