"""The API answers what its document says, to whatever the document permits and does not; `make soak` asks longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.system.http.asking import askings, each_by_one
from tests.system.http.prepared import prepared
from tests.system.http.requests import OPERATIONS
from tools.soak.schema import Asking, SchemaOptions, SchemaOutcome, run_schema

if TYPE_CHECKING:
    from tests.adapters.http.conftest import Api

SEED = 7


def found(outcome: SchemaOutcome) -> str:
    return "\n\n".join([f"{len(outcome.findings)} findings of {outcome.requests} requests", *outcome.findings[:20]])


@pytest.fixture(scope="module")
def callers(api_address: str, anybody: Api) -> list[Asking]:
    return askings(api_address, prepared(anybody.of_the_house("operator")))


@pytest.mark.timeout(300)
def test_every_operation_answers_as_the_document_says(callers: list[Asking]) -> None:
    outcome = run_schema(SchemaOptions(SEED, examples=6, phases=["fuzzing"]), lambda: each_by_one(callers))
    assert outcome.stood, found(outcome)
    assert outcome.requests > 300
    assert len(outcome.succeeded) > len(OPERATIONS) / 3


@pytest.mark.timeout(300)
def test_the_edges_of_every_parameter_and_field(callers: list[Asking]) -> None:
    """Of every fifth operation: each is some seventy requests."""
    options = SchemaOptions(SEED, phases=["coverage"], methods=["options", "patch"])
    fifth = {name for number, name in enumerate(sorted(OPERATIONS)) if number % 5 == SEED % 5}
    few = [replace(one, operations=sorted(fifth & {*one.operations})) for one in each_by_one(callers)]
    outcome = run_schema(options, lambda: [one for one in few if one.operations])
    assert outcome.stood, found(outcome)
    assert outcome.requests > 300


@pytest.mark.timeout(300)
def test_what_was_made_is_asked_for_and_changed(callers: list[Asking]) -> None:
    outcome = run_schema(SchemaOptions(SEED, examples=15, phases=["stateful"]), lambda: callers[:2])
    assert outcome.stood, found(outcome)
    assert outcome.requests > 50


@pytest.mark.timeout(300)
def test_it_would_be_found(callers: list[Asking], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where refusals by the rules of the business count as broken, there are some."""
    monkeypatch.setattr("tools.soak.schema.REFUSED", {})
    options = SchemaOptions(SEED, examples=4, phases=["fuzzing"])
    assert not run_schema(options, lambda: each_by_one(callers)[:1]).stood
