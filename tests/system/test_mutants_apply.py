"""The faults of `make mutants` still fit the code, and the tests that must see them are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants.faults import FAULTS, Edit, Fault

ROOT = Path(__file__).parents[2]
EDITS = [pytest.param(edit, id=f"{fault.name} {n}") for fault in FAULTS for n, edit in enumerate(fault.edits, 1)]


@pytest.mark.parametrize("edit", EDITS)
def test_the_passage_that_a_fault_changes_stands_once_in_the_code(edit: Edit) -> None:
    assert (ROOT / edit.file).read_text(encoding="utf-8").count(edit.passage) == 1, (
        f"{edit.file} moved on: let the fault in tools/mutants/faults.py follow it, and run `make mutants`"
    )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_test_that_must_see_a_fault_is_there(fault: Fault) -> None:
    file, _, name = fault.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
