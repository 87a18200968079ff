"""Tokens over HTTP, by an issuer of its own: one good one is let in, and of the others nothing is told or logged."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.http.api_key_tokens import REMEMBERED_S
from adapters.postgres.api_keys import ApiKeys
from tests.adapters.http.conftest import refused, serving
from tests.adapters.http.issuer import OTHER_RSA_KEY, RSA_KEY, Issuer, an_issuer, base64url
from tests.system.http.conftest import database_of
from tests.system.http.prepared import Prepared, prepared

if TYPE_CHECKING:
    from adapters.settings import Settings
    from tests.adapters.http.conftest import Api

PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CANARY = "subject-canary"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with an_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def there(anybody: Api) -> Prepared:
    there = prepared(anybody.of_the_house("operator"))
    assert there["member:ben"]
    return there


@pytest.fixture(scope="module")
def http(api_settings: Settings, issuer: Issuer) -> Iterator[httpx.Client]:
    """A server that trusts the issuer, and nobody else."""
    settings = api_settings.model_copy(update={"oidc_issuer": issuer.url})
    with serving(settings) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def by_hand(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes | None) -> str:
    """A token as no library would make it: without a signature, or with the public key as a shared secret."""
    parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
    signature = hmac.digest(secret, ".".join(parts).encode(), hashlib.sha256) if secret else b""
    return ".".join([*parts, base64url(signature)])


def bad_tokens(issuer: Issuer, who: dict[str, Any]) -> dict[str, str]:
    claims, now = issuer.claims(**who), int(time.time())
    return {
        "alg none": by_hand({"alg": "none", "typ": "JWT"}, claims, None),
        "alg None with a name": by_hand({"alg": "None", "kid": "rsa"}, claims, None),
        "HS256 with the public key": by_hand({"alg": "HS256", "kid": "rsa"}, claims, PEM),
        "another audience": issuer.token(**who, aud="another"),
        "no audience": issuer.token(**who, aud=None),
        "expired": issuer.token(**who, exp=now - 3600, iat=now - 7200),
        "without an end": issuer.token(**who, exp=None),
        "not yet": issuer.token(**who, nbf=now + 3600),
        "a foreign key": issuer.token(**who, key=OTHER_RSA_KEY),
        "a key of an unknown name": issuer.token(**who, header={"kid": "canary"}),
        "another issuer": issuer.token(**who, iss="https://elsewhere.example"),
        "without a signature": f"{issuer.token(**who).rpartition('.')[0]}.",
        "with other claims": swapped(issuer.token(**who), {**claims, "roles": ["seatledger.operator"]}),
        "a role that is a text": issuer.token(**who, roles="seatledger.operator"),
        "no token at all": "canary",
    }


def swapped(token: str, claims: Mapping[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{base64url(json.dumps(claims).encode())}.{signature}"


def test_only_the_issuer_s_own_tokens_for_us_and_now(
    http: httpx.Client, issuer: Issuer, there: Prepared, logged: StringIO
) -> None:
    who: dict[str, Any] = {"organization": there.handle, "preferred_username": "ben@contoso.com"}
    path = f"/v1/organizations/{there.handle}/subscriptions"
    good = http.get(path, headers={"Authorization": f"Bearer {issuer.token(**who)}"})
    assert good.status_code == 200, good.text
    for what, token in bad_tokens(issuer, who).items():
        answer = http.get(path, headers={"Authorization": f"Bearer {token}"})
        refuse(answer, token, what)
        refuse_traces(logged.getvalue(), token, what)
    assert logged.getvalue().count('"status": 401') == len(bad_tokens(issuer, who))


def refuse(answer: httpx.Response, token: str, what: str) -> None:
    assert answer.status_code == 401, what
    assert answer.json()["code"] in {"token_malformed", "token_not_accepted", "token_expired", "token_missing"}, what
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    refuse_traces(answer.text + str(answer.headers), token, what)


def refuse_traces(told: str, token: str, what: str) -> None:
    assert "canary" not in told, what
    for part in (token, *token.split(".")):
        assert len(part) < 8 or part not in told, what


def test_a_token_is_sent_once_and_as_a_bearer(http: httpx.Client, issuer: Issuer, there: Prepared) -> None:
    token = issuer.token(organization=there.handle, preferred_username="ben@contoso.com")
    path = f"/v1/organizations/{there.handle}/subscriptions"
    sent: list[list[tuple[str, str]]] = [
        [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
        [("Authorization", f"Bearer {token}, Bearer {token}")],
        [("Authorization", f"Basic {token}")],
        [("Authorization", token)],
        [("X-Authorization", f"Bearer {token}")],
        [("Cookie", f"Authorization=Bearer {token}")],
    ]
    for headers in sent:
        refuse(http.get(path, headers=headers), token, headers[0][0])
    for parameter in ("access_token", "token", "authorization"):
        refuse(http.get(path, params={parameter: token}), token, parameter)


def test_a_development_token_opens_nothing_where_there_is_an_issuer(http: httpx.Client, there: Prepared) -> None:
    for api in (there.chris, there.operator):
        answer = http.get(there.chris.path("/members"), headers={"Authorization": f"Bearer {api.bearer}"})
        refuse(answer, api.bearer, "a development token")


def test_an_api_key_until_it_is_revoked(
    http: httpx.Client, api_settings: Settings, there: Prepared, logged: StringIO
) -> None:
    keys = ApiKeys(database_of(api_settings))
    try:
        key, secret = keys.create("service", "of this test", None)
        text = key.text(secret)
        bearer = {"Authorization": f"Bearer {text}"}
        assert http.get("/v1/events", headers=bearer).status_code == 200
        assert http.get(there.chris.path("/subscriptions"), headers=bearer).status_code == 403
        wrong = f"{text[:-1]}{'A' if text[-1] != 'A' else 'B'}"
        refuse(http.get("/v1/events", headers={"Authorization": f"Bearer {wrong}"}), secret, "a wrong secret")
        for parameter in ("api_key", "key", "access_token"):
            refuse(http.get("/v1/events", params={parameter: text}), secret, parameter)
            answer = http.get("/v1/events", params={parameter: text}, headers=bearer)
            refused(answer, 400, "bad_parameter")
            assert secret not in answer.text
        refuse(http.get("/v1/events", headers={"X-Api-Key": text}), secret, "X-Api-Key")
        keys.revoke(key.key_id)
        time.sleep(REMEMBERED_S + 0.5)
        refuse(http.get("/v1/events", headers=bearer), secret, "revoked")
        assert secret not in logged.getvalue()
    finally:
        keys.close()
