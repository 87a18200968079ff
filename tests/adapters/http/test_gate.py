"""The gate: who is let in, what is not, and that none of it is repeated."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from adapters.http.development_issuer import DevelopmentIssuer
from tests.adapters.http.conftest import Api, refused, serving

if TYPE_CHECKING:
    from adapters.settings import Settings

CARD = "4242424242424242"


def test_without_a_token_nothing_is_told(anybody: Api) -> None:
    for path in ("/v1/organizations/contoso/subscriptions", "/v1/nothing", "/v1/events"):
        answer = anybody.http.get(path)
        refused(answer, 401, "token_missing")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_health_needs_no_token(anybody: Api, chris: Api) -> None:
    chris.get("/subscriptions")
    assert anybody.http.get("/healthz").json() == {"status": "alive"}
    ready = anybody.http.get("/readyz").json()
    assert ready["status"] == "ready"
    assert {one["name"] for one in ready["read_models"]} >= {"purchases"}
    metrics = anybody.http.get("/metrics").text
    assert 'seatledger_http_requests_total{method="GET",route="/healthz",status="200"}' in metrics
    assert "seatledger_database_up 1.0" in metrics


def test_the_type_of_a_problem_leads_to_its_help(anybody: Api) -> None:
    problem = refused(anybody.http.get("/v1/nothing"), 401, "token_missing")
    page = anybody.http.get(problem["type"])
    assert page.status_code == 200
    assert "token_missing" in page.text
    refused(anybody.http.get("/problems/no_such_thing"), 404, "not_found")


def test_two_tokens_are_no_token(chris: Api) -> None:
    two = [("Authorization", f"Bearer {chris.bearer}")] * 2
    refused(chris.http.get(chris.path("/subscriptions"), headers=two), 401, "token_malformed")


def test_another_organization_does_not_exist(chris: Api) -> None:
    there = refused(chris.within("fabrikam").ask("GET", "/subscriptions"), 404, "not_found")
    nowhere = refused(chris.within("nowhere").ask("GET", "/subscriptions"), 404, "not_found")
    assert there["detail"] == nowhere["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"user_ids": [', 400, "bad_request"),
        (b'{"user_ids": [], "user_ids": []}', 400, "bad_request"),
        (b'{"total": NaN}', 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "bad_request"),
        (b"\xff\xfe", 400, "bad_request"),
        (b" " * (10 * 1024 * 1024), 413, "body_too_large"),
        (b"[1]", 422, "bad_input"),
        (b'{"user_ids": "everybody"}', 422, "bad_input"),
        (b'{"user_ids": [], "is_admin": true}', 422, "bad_input"),
        (b'{"user_ids": ["4242 4242 4242 4242"]}', 422, "card_data_not_accepted"),
        (b'{"4242424242424242": 1}', 422, "card_data_not_accepted"),
        (b'{"user_ids": [], "cvc": "123"}', 422, "card_data_not_accepted"),
    ],
)
def test_a_bad_body_is_refused_and_not_repeated(chris: Api, body: bytes, status: int, code: str) -> None:
    path = f"/subscriptions/{uuid4()}/assignments"
    answer = chris.ask("POST", path, content=body, headers={"Content-Type": "application/json"})
    problem = refused(answer, status, code)
    for secret in ("everybody", "is_admin", "4242"):
        assert secret not in answer.text
    if status == 422:
        assert problem["errors"]


def test_a_body_of_another_kind_is_refused(chris: Api) -> None:
    answer = chris.ask("POST", f"/subscriptions/{uuid4()}/assignments", data={"user_ids": "x"})
    refused(answer, 415, "media_type_not_supported")


def test_card_numbers_are_refused_wherever_they_stand(chris: Api) -> None:
    path = f"/subscriptions/{uuid4()}/assignments"
    places = [
        chris.ask("GET", f"/subscriptions/{CARD}"),
        chris.ask("GET", "/subscriptions", params={"product_id": CARD}),
        chris.ask("GET", "/subscriptions", params={CARD: "1"}),
        chris.ask("GET", "/subscriptions", params={"cvc": "123"}),
        chris.ask("GET", "/subscriptions", params={"cursor": CARD}),
        chris.ask("POST", path, json={"user_ids": []}, key=CARD),
        chris.ask("POST", path, json={"user_ids": []}, headers={"Correlation-Id": CARD}),
        chris.ask("PUT", f"/subscriptions/{uuid4()}/licenses", json={"total": 3}, tag=f'"{CARD}"'),
    ]
    for answer in places:
        assert answer.status_code in {400, 422}, answer.text
        assert answer.json()["code"] in {"card_data_not_accepted", "bad_parameter"}
        assert CARD not in answer.text


def test_what_a_change_must_carry(chris: Api) -> None:
    path = f"/subscriptions/{uuid4()}/licenses"
    bearer = {"Authorization": f"Bearer {chris.bearer}"}
    without_key = chris.http.put(chris.path(path), json={"total": 3}, headers={**bearer, "If-Match": "*"})
    refused(without_key, 400, "idempotency_key_missing")
    without_tag = chris.http.put(chris.path(path), json={"total": 3}, headers={**bearer, "Idempotency-Key": "a"})
    refused(without_tag, 428, "if_match_required")
    refused(chris.ask("PUT", path, json={"total": 3}, tag='W/"1-2"'), 400, "if_match_malformed")
    refused(chris.ask("PUT", path, json={"total": 3}, tag="*", key="two words"), 400, "bad_parameter")


def test_unknown_parameters_are_refused(chris: Api) -> None:
    answer = chris.ask("GET", "/subscriptions", params={"stat": "active"})
    problem = refused(answer, 400, "bad_parameter")
    assert "state" in problem["detail"]
    refused(chris.ask("GET", "/subscriptions", params={"limit": 201}), 400, "bad_parameter")
    refused(chris.ask("GET", "/subscriptions", params={"cursor": "eyJ4Ijox"}), 400, "cursor_not_accepted")
    refused(chris.ask("DELETE", "/subscriptions"), 405, "method_not_allowed")


def test_a_correlation_id_reaches_the_events(chris: Api) -> None:
    correlation_id = str(uuid4())
    body = {"rows": [{"user_name": "ina@contoso.com"}]}
    answer = chris.ask("POST", "/members", json=body, headers={"Correlation-Id": correlation_id})
    assert answer.headers["Correlation-Id"] == correlation_id
    assert [event["correlationid"] for event in answer.json()["events"]] == [correlation_id]
    refused(chris.ask("GET", "/members", headers={"Correlation-Id": "mine"}), 400, "bad_parameter")


def test_too_many_requests_are_told_to_wait(api_settings: Settings) -> None:
    settings = api_settings.model_copy(update={"api_rate_per_key": "3/minute"})
    with serving(settings) as address, httpx.Client(base_url=address) as http:
        api = Api(http, DevelopmentIssuer(settings.home), "contoso").as_("ben@contoso.com")
        answers = [api.ask("GET", "/subscriptions") for _ in range(4)]
        problem = refused(answers[3], 429, "rate_exceeded")
        assert int(answers[3].headers["Retry-After"]) >= 1
        assert "ben" not in problem["detail"]
        assert http.get("/healthz").status_code == 200


def test_a_position_that_nobody_was_told_is_not_waited_for(chris: Api) -> None:
    started = time.monotonic()
    answer = chris.ask("GET", "/subscriptions", params={"at_least": 2**63 - 1})
    problem = refused(answer, 400, "bad_parameter")
    assert [one["pointer"] for one in problem["errors"]] == ["at_least"]
    assert time.monotonic() - started < 5


def test_allow_names_every_method_of_the_path(chris: Api) -> None:
    for path, methods in (
        ("/subscriptions", {"GET", "POST"}),
        (f"/payment-methods/{uuid4()}", {"GET", "PATCH", "DELETE"}),
    ):
        answer = chris.ask("OPTIONS", path)
        refused(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == methods
