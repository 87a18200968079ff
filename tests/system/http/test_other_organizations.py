"""What belongs to another organization does not exist: its ids are answered like ids of nothing, wherever they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from domain.organization import organization_id_of
from tests.system.http.places import Place, places_of
from tests.system.http.prepared import Prepared, founded, prepared
from tests.system.http.requests import TABLE, Request, operation_of, refuse_missing, send
from tests.system.http.seen import who_may

if TYPE_CHECKING:
    import httpx

    from tests.adapters.http.conftest import Api

NO_ID = {"sku_id"}  # of its publisher's: it names nothing here
SHARED = {"offer_id"}  # of the catalog's
OWN = ("command_id", "position", "sequence", "request_id")  # of each answer


@pytest.fixture(scope="module")
def here(anybody: Api) -> Prepared:
    return prepared(anybody.of_the_house("operator"))


@pytest.fixture(scope="module")
def there(anybody: Api) -> Prepared:
    """Another organization, in which there is the same."""
    there = prepared(anybody.of_the_house("operator"))
    for make in TABLE.values():
        make(there)
    there.ids["organization"] = str(organization_id_of(there.handle))
    return there


def test_every_place_of_an_id_is_tried(here: Prepared) -> None:
    refuse_missing()
    places = {(operation_of(name).name, place) for name in TABLE for place in id_places(name)}
    tried = {
        (operation_of(name).name, place)
        for name in TABLE
        for place in id_places(name)
        if place.get(TABLE[name](here)) is not None
    }
    untried = [f"{name}, {place}" for name, place in places - tried]
    assert not untried, "add an id there to a request in tests/system/http/requests.py"


def id_places(name: str) -> Iterator[Place]:
    for place in places_of(operation_of(name)):
        if place.is_id and not {*place.steps} & (NO_ID | SHARED):
            yield place


@pytest.mark.parametrize("name", [name for name in TABLE if [*id_places(name)]])
def test_an_id_of_another_organization_is_one_of_nothing(
    name: str, here: Prepared, there: Prepared, told: Callable[[], int]
) -> None:
    for caller in who_may(name, "owner", "admin", "auditor", "operator"):
        api = here.who(caller)
        for place in id_places(name):
            request = TABLE[name](here)
            if place.get(request) is None:
                continue
            for foreign in foreign_ids(name, place, there):
                before = told()
                theirs, nothings = str(foreign), str(uuid4())
                answers = [send(api, name, place.put(request, one), here) for one in (theirs, nothings)]
                where = f"{name} by {caller}, {place}"
                assert told() == before, where
                one, other = (said(answer, sent) for answer, sent in zip(answers, (theirs, nothings), strict=True))
                assert one == other, where
                refuse_foreign(answers[0].text, there, but=theirs)


def foreign_ids(name: str, place: Place, there: Prepared) -> list[str]:
    """What stands there in the same request about the other organization; or any of its ids, where any may stand."""
    if place.steps == ("aggregate_id",):
        return [one for one in there.ids.values() if is_uuid(one)]
    return [str(place.get(TABLE[name](there)))]


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def said(answer: httpx.Response, sent: str) -> Any:
    """The answer without what is its own, and without the id that was asked for."""
    text = answer.text.replace(sent, "the id")
    if answer.headers["content-type"].partition(";")[0] not in {"application/json", "application/problem+json"}:
        return answer.status_code, text
    document = json.loads(text)
    return answer.status_code, {name: value for name, value in document.items() if name not in OWN}


def refuse_foreign(text: str, there: Prepared, *, but: str) -> None:
    """Nothing of the other organization stands in a text, but the id that was sent."""
    shared = {there["offer"], there["product"], there["listed offer"], there["leaving offer"], but}
    found = [name for name, value in there.ids.items() if is_uuid(value) and value not in shared and value in text]
    assert not found
    assert there.handle not in text


def test_a_key_is_one_of_its_caller_in_its_organization(operator: Api) -> None:
    """The same Idempotency-Key: of another member, and of the same person in another organization."""
    one, other = prepared(operator), prepared(operator)
    key = str(uuid4())
    made = []
    for member in (one.member("ben"), one.member("david"), other.member("ben")):
        answer = member.ask("POST", "/payment-methods", json={"token": "tok_visa"}, key=key)
        assert answer.status_code == 201
        assert "Idempotency-Replayed" not in answer.headers
        made.append((answer.json()["payment_method_id"], answer.json()["command_id"]))
    assert len({method_id for method_id, _ in made}) == len({command_id for _, command_id in made}) == 3
    again = one.member("david").ask("POST", "/payment-methods", json={"token": "tok_visa"}, key=key)
    assert (again.headers["Idempotency-Replayed"], again.json()["payment_method_id"]) == ("true", made[1][0])


def test_a_token_of_another_organization_opens_nothing(operator: Api) -> None:
    """Whatever the method, the path, and whether the organization is there at all."""
    here, elsewhere = founded(operator), founded(operator)
    there = Prepared(here, elsewhere)
    for name in TABLE:
        operation = operation_of(name)
        if "{organization}" not in operation.path:
            continue
        ids = {one: str(uuid4()) for one in operation.parameters("path")} | {"role": "admin", "product_id": "x"}
        told = []
        for handle in (there.handle, "nobody-has-this"):
            answer = send(elsewhere, name, Request({**ids, "organization": handle}), there)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name
            told.append(answer.json()["detail"])
        assert told[0] == told[1]
