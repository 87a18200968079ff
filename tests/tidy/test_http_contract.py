"""What the HTTP API promises is written down, as it is."""

import json

import pytest

from adapters.http.app import routed
from adapters.http.problems import KINDS, REFUSED
from domain import refusals
from tools.contract.http import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_what_is_written_down_is_what_is_served(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make contract`, and read what it changes"


def test_every_refusal_has_a_status_and_a_help_page() -> None:
    codes = {
        kind.code
        for kind in vars(refusals).values()
        if isinstance(kind, type) and issubclass(kind, refusals.Refusal) and kind is not refusals.Refusal
    }
    assert codes <= KINDS.keys()
    assert REFUSED.keys() <= codes, "no such refusal any more"


def test_every_operation_is_named_explained_and_typed() -> None:
    document = routed().openapi()
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            assert one["summary"], path
            assert one["description"], path
            names = {parameter["name"] for parameter in one.get("parameters", ())}
            if method != "get":
                assert "Idempotency-Key" in names, path
            assert ("If-Match" in names) == (method in {"put", "patch"}), path
    assert "securitySchemes" in document["components"]
    assert json.dumps(document).count("HTTPValidationError") == 0
