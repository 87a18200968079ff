"""Nobody sends more than is asked for: whose command it is, in which role, at what price is not the caller's to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.adapters.http.conftest import refused
from tests.system.http.places import places_of
from tests.system.http.prepared import Prepared, prepared
from tests.system.http.requests import OPERATIONS, TABLE, Request, operation_of, send
from tests.system.http.seen import who_may

if TYPE_CHECKING:
    from tests.adapters.http.conftest import Api

MORE: dict[str, Any] = {
    "organization_id": str(uuid4()),
    "organization": "contoso",
    "actor": {"id": str(uuid4()), "role": "operator"},
    "role": "operator",
    "command_id": str(uuid4()),
    "correlation_id": str(uuid4()),
    "if_versions": {},
    "unit_price_minor": 0,
    "expected_amount_minor": 0,
    "currency_exponent": 9,
    "channel": "central",
    "purchaser_id": str(uuid4()),
    "owner_id": str(uuid4()),
    "billing_profile_id": str(uuid4()),
    "at": "2020-01-01T00:00:00Z",
    "simulation": True,
    "till": None,
    "__class__": "Actor",
    "canary": "canary",
}


@pytest.fixture(scope="module")
def there(anybody: Api) -> Prepared:
    return prepared(anybody.of_the_house("operator"))


@pytest.mark.parametrize("name", [name for name in TABLE if operation_of(name).body is not None])
def test_a_field_that_is_not_asked_for_is_refused(name: str, there: Prepared, told: Callable[[], int]) -> None:
    request, api = TABLE[name](there), there.who(who_may(name, "owner", "admin", "operator")[0])
    before = told()
    for place in places_of(operation_of(name)):
        if place.in_ != "body" or not place.is_object:
            continue
        for field, value in MORE.items():
            if field not in place.names:
                there_too = {**(place.get(request) or {}), field: value}
                answer = send(api, name, place.put(request, there_too), there)
                problem = refused(answer, 422, "bad_input")
                pointer = "".join(f"/{step}" for step in place.steps)
                assert pointer in [one["pointer"] for one in problem["errors"]], f"{place}: {field}"
                assert "canary" not in answer.text
    assert told() == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_parameter_that_is_not_known_is_refused(name: str, there: Prepared, told: Callable[[], int]) -> None:
    operation = operation_of(name)
    if not operation.path.startswith("/v1/"):
        return
    request, api = TABLE[name](there), there.who(who_may(name, "owner", "admin", "auditor", "operator")[0])
    before = told()
    for parameter in MORE.keys() - operation.parameters("query").keys():
        more = Request(**{**vars(request), "query": {**request.query, parameter: "1"}})
        refused(send(api, name, more, there), 400, "bad_parameter")
    assert told() == before


def test_objects_are_closed_in_the_document_too() -> None:
    for operation in OPERATIONS.values():
        for place in places_of(operation):
            for schema in place.schemas:
                if place.in_ == "body" and "properties" in schema:
                    assert schema.get("additionalProperties") is False, f"{operation.name}, {place}"
