"""The targets of `make fuzz`, as far as they get without atheris, which has no wheels for every Python."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.fuzz.targets import TARGETS, tried

TRIED = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("target", TARGETS)
def test_examples_are_taken(target: str) -> None:
    for example in TARGETS[target].examples():
        assert tried(target, example)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_cut_joined_and_changed_is_read_as_it_is_spelled_or_refused(target: str) -> None:
    example = TARGETS[target].examples()[0]
    places = st.integers(0, len(example))

    @TRIED
    @given(places, places, st.binary(max_size=8))
    def one(start: int, end: int, between: bytes) -> None:
        tried(target, example[:start] + between + example[end:])

    one()
