"""No clock and no random id in the domain: what happens depends on what is told, at every replay the same."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.source import last_name, modules, name_of, tree_of

CURE = "take the time as `at` and ids as arguments; services get them from the clock and from uuid5"
MODULES = {"time", "random", "secrets", "os"}
NAMES = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7", "urandom", "getrandbits"}


def impurities(tree: ast.Module) -> Iterator[str]:
    """Says where a clock or a source of chance is used, called or not (a `default_factory` does not call it)."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"line {node.lineno} imports {n.name}" for n in names if n.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in MODULES:
                    yield f"line {node.lineno} imports from {module}"
                yield from (f"line {node.lineno} imports {n.name}" for n in names if n.name in NAMES)
            case ast.Attribute() if last_name(node) in NAMES:
                yield f"line {node.lineno} uses {ast.unparse(node)}"


def test_the_domain_has_no_clock_and_no_random_id() -> None:
    broken = [f"{name_of(path)}: {said}" for path in modules("domain") for said in impurities(tree_of(path))]
    assert not broken, f"{CURE}:\n" + "\n".join(broken)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "from uuid import uuid4",
        "at = datetime.now(UTC)",
        "day = date.today()",
        "id: UUID = Field(default_factory=uuid.uuid4)",
    ],
)
def test_a_clock_or_a_random_id_is_seen(source: str) -> None:
    assert list(impurities(ast.parse(source)))


@pytest.mark.parametrize("source", ["from uuid import UUID, uuid5", "day = at.date()", "from datetime import datetime"])
def test_given_times_and_derived_ids_are_allowed(source: str) -> None:
    assert not list(impurities(ast.parse(source)))
