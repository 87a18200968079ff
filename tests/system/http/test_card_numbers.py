"""A card number is refused wherever it is sent, and is nowhere afterwards: no answer, no log, no table, no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.system.http.conftest import database_of
from tests.system.http.places import Place, places_of
from tests.system.http.prepared import Prepared, prepared
from tests.system.http.requests import OPERATIONS, TABLE, Request, operation_of, send
from tests.system.http.seen import who_may

if TYPE_CHECKING:
    import httpx

    from adapters.settings import Settings
    from tests.adapters.http.conftest import Api

CARD = "4000056655665556"
SENT = {
    "alone": CARD,
    "in groups": "4000 0566 5566 5556",
    "with hyphens": "4000-0566-5566-5556",
    "among words": f"my card is {CARD}, thanks",
    "in other digits": CARD.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
}
REFUSED = {"card_data_not_accepted", "bad_parameter", "not_found"}  # what stands in a path may be no handle, or no name
ELSEWHERE = ("User-Agent", "X-Request-Id", "Cookie", "Referer", "Accept", "Accept-Language", "Content-Language")


@pytest.fixture(scope="module")
def there(anybody: Api) -> Prepared:
    there = prepared(anybody.of_the_house("operator"))
    for make in TABLE.values():
        make(there)
    return there


@pytest.fixture(scope="module", autouse=True)
def kept(api_settings: Settings) -> Iterator[None]:
    """What is left when all of this was sent."""
    yield
    assert not [place for place, content in all_that_is_kept(api_settings) if traces_in(content)]


def traces_in(content: bytes) -> list[str]:
    """Forms of the number that stand in something, as text or as PostgreSQL shows bytes."""
    return [
        sent for sent in SENT.values() for form in (sent, sent.encode().hex(), quote(sent)) if form.encode() in content
    ]


def all_that_is_kept(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Every row of every table as text, and every file."""
    with psycopg.connect(database_of(settings)) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 8
        for table in tables:
            rows = connection.execute(SQL("SELECT one::text FROM {} AS one").format(Identifier(*table))).fetchall()
            yield ".".join(table), "\n".join(row[0] for row in rows).encode()
    for path in settings.home.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(settings.home)), path.read_bytes()


def test_what_is_kept_would_be_found(api_settings: Settings, there: Prepared) -> None:
    """The search finds a word that was stored: the name on a card."""
    assert there["card"]
    found = {place for place, content in all_that_is_kept(api_settings) if b"Ben Canary" in content}
    assert found


@pytest.fixture
def silent(logged: StringIO, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], None]:
    """Fails where anything that was written since tells the number."""

    def check() -> None:
        assert '"event": "request"' in logged.getvalue()
        told = "\n".join([logged.getvalue(), *capfd.readouterr(), caplog.text])
        assert not traces_in(told.encode())

    return check


def refuse(answer: httpx.Response, where: str) -> None:
    assert answer.status_code in {400, 404, 422}, f"{where}: {answer.status_code} {answer.text}"
    assert answer.json()["code"] in REFUSED, f"{where}: {answer.text}"
    assert not traces_in(answer.content + str(answer.headers).encode()), where


@pytest.mark.parametrize("name", [name for name in TABLE if name in OPERATIONS])
def test_it_is_refused_in_every_text(
    name: str, there: Prepared, told: Callable[[], int], silent: Callable[[], None]
) -> None:
    if not operation_of(name).path.startswith("/v1/"):
        return
    request = TABLE[name](there)
    api = there.who(who_may(name, "owner", "admin", "auditor", "operator")[0])
    before = told()
    for place in places_of(operation_of(name)):
        for how, sent in SENT.items():
            if place.in_ == "body" and not place.is_text:
                continue
            answer = send(api, name, put(place, request, sent), there)
            refuse(answer, f"{name}, {place}, {how}")
            if place.in_ == "body":
                assert answer.json()["code"] == "card_data_not_accepted"
    assert told() == before
    silent()


def put(place: Place, request: Request, sent: str) -> Request:
    return place.put(request, quote(sent) if place.in_ == "path" else sent)


def test_it_is_refused_as_a_number_as_a_name_and_deep_inside(there: Prepared, silent: Callable[[], None]) -> None:
    bodies: list[object] = [
        {"token": int(CARD)},
        {"token": float(CARD)},
        {CARD: "tok_visa"},
        {"token": "tok_visa", "holder": [{"name": [CARD]}]},
        {"token": "tok_visa", "holder": {"cvc": "123"}},
        {"token": "tok_visa", "security_code": 123},
        [CARD],
        CARD,
        int(CARD),
    ]
    for body in bodies:
        answer = there.member("ben").ask("POST", "/payment-methods", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "card_data_not_accepted"), body
        assert not traces_in(answer.content)
    escaped = "".join(rf"\u{ord(letter):04x}" for letter in CARD)
    headers = {"Content-Type": "application/json"}
    answer = there.member("ben").ask("POST", "/payment-methods", content=f'{{"token": "{escaped}"}}', headers=headers)
    assert answer.json()["code"] == "card_data_not_accepted"
    silent()


def test_it_is_refused_in_the_headers_that_are_read(there: Prepared, silent: Callable[[], None]) -> None:
    given: Mapping[str, str] = {"holder": "B. Andrews"}
    path = there.chris.path(f"/payment-methods/{there['card']}")
    for name in ("Idempotency-Key", "If-Match", "Correlation-Id", "Seatledger-Role"):
        for sent in (CARD, SENT["in groups"], f'"{CARD}"'):
            headers = {"If-Match": "*", "Idempotency-Key": str(uuid4()), name: sent}
            refuse(there.member("ben", role=None).ask("PATCH", path, json=given, headers=headers), f"{name}: {sent}")
    silent()


def test_it_is_nowhere_after_it_came_in_a_header_that_nobody_reads(there: Prepared, silent: Callable[[], None]) -> None:
    for name in ELSEWHERE:
        answer = there.member("ben").ask("POST", "/payment-methods", json={"token": "tok_visa"}, headers={name: CARD})
        assert not traces_in(answer.content + str(answer.headers).encode()), name
    for headers in ({"Authorization": f"Bearer {CARD}"}, {"Authorization": CARD}, {"Content-Type": CARD}):
        answer = there.member("ben").ask("POST", "/payment-methods", content=b"{}", headers=headers)
        assert answer.status_code in {401, 415}
        assert not traces_in(answer.content + str(answer.headers).encode())
    silent()


def test_it_is_nowhere_after_it_came_without_a_token_or_to_no_route(
    there: Prepared, silent: Callable[[], None]
) -> None:
    http = there.chris.http
    for path in (f"/{CARD}", f"/v1/{CARD}", f"/problems/{CARD}", f"/v1/organizations/{CARD}", f"/healthz?{CARD}"):
        for method in ("GET", "POST", CARD):
            answer = http.request(method, path, json={"token": CARD} if method == "POST" else None)
            assert not traces_in(answer.content + str(answer.headers).encode()), path
    for path in (f"/v1/{CARD}", f"/{CARD}/subscriptions", f"/subscriptions/{CARD}/{CARD}"):
        assert not traces_in(there.chris.ask("GET", path).content)
    assert not traces_in(http.get("/metrics").content)
    silent()


def test_all_that_is_kept_has_files(api_settings: Settings) -> None:
    assert [path for path in Path(api_settings.home).rglob("*") if path.is_file()]
