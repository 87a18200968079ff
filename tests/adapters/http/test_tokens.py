"""Tokens of an issuer: accepted only when signed by it, for us, and now; and a refusal repeats nothing of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import traceback
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from adapters.http.principal import Accepted, Unauthorized
from adapters.http.tokens import LONGEST_TOKEN, OidcTokens
from adapters.settings import Settings
from tests.adapters.http.issuer import (
    EC_KEY,
    ED_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    Issuer,
    PrivateKey,
    an_issuer,
    base64url,
    jwk_of,
    signed,
)

PSEUDONYM_KEY = bytes(range(32))


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with an_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def tokens(issuer: Issuer) -> OidcTokens:
    return OidcTokens(Settings(oidc_issuer=issuer.url), pseudonym_key=PSEUDONYM_KEY)


def refused(tokens: OidcTokens, token: str) -> str:
    """The code of the refusal, which repeats nothing of the token."""
    with pytest.raises(Unauthorized) as raised:
        tokens.read(token)
    error = raised.value
    told = f"{error} {error!r} {error.message} {vars(error)} {''.join(traceback.format_exception(error))}"
    assert "canary" not in told
    for part in token.split("."):
        assert len(part) < 8 or part not in told
    assert error.__cause__ is None
    return error.code


# Who calls.


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")]
)
def test_a_member_is_named_by_organization_and_user(
    tokens: OidcTokens, issuer: Issuer, key: PrivateKey, algorithm: str, key_id: str
) -> None:
    who = tokens.read(issuer.token(key=key, algorithm=algorithm, header={"kid": key_id})).principal
    assert (who.kind, who.actor_id, who.organization, who.user_name) == (
        "member",
        None,
        "contoso",
        "ben-canary@contoso.com",
    )


def test_the_key_of_a_caller_is_stable_and_tells_nothing(tokens: OidcTokens, issuer: Issuer) -> None:
    ben, again = (tokens.read(issuer.token(jti=jti)).principal for jti in ("1", "2"))
    chris = tokens.read(issuer.token(sub="another")).principal
    other_key = OidcTokens(Settings(oidc_issuer=issuer.url), pseudonym_key=bytes(32)).read(issuer.token()).principal
    assert ben.key == again.key
    assert len({ben.key, chris.key, other_key.key}) == 3
    assert "canary" not in ben.key + repr(ben)


@pytest.mark.parametrize(
    ("roles", "kind"),
    [
        (["seatledger.operator"], "operator"),
        (["other", "seatledger.service"], "service"),
        (["seatledger.service", "seatledger.operator"], "operator"),
        (["seatledger.operators", "xseatledger.operator", "Seatledger.Operator", "operator"], "member"),
        ([], "member"),
        (None, "member"),
    ],
)
def test_the_house_s_own_have_a_role_and_an_id(tokens: OidcTokens, issuer: Issuer, roles: Any, kind: str) -> None:
    who, again = (tokens.read(issuer.token(roles=roles)).principal for _ in range(2))
    assert who.kind == kind
    assert who == again
    assert (who.actor_id is None) is (kind == "member")
    assert (who.organization is None) is (kind != "member")
    assert (who.user_name is None) is (kind != "member")


def test_an_operator_needs_no_organization(tokens: OidcTokens, issuer: Issuer) -> None:
    one, other = (
        tokens.read(issuer.token(roles=["seatledger.operator"], sub=sub, organization=None, preferred_username=None))
        for sub in ("one", "other")
    )
    assert one.principal.actor_id != other.principal.actor_id


def test_an_organization_is_not_mended(tokens: OidcTokens, issuer: Issuer) -> None:
    """Handles have no capitals: this one is nobody's, and contoso is not meant."""
    assert tokens.read(issuer.token(organization="Contoso")).principal.organization == "Contoso"
    assert tokens.read(issuer.token(organization=" contoso")).principal.organization == " contoso"


def test_the_claims_have_the_names_of_the_settings(issuer: Issuer) -> None:
    settings = Settings(
        oidc_issuer=issuer.url,
        oidc_audience="api://billing",
        oidc_organization_claim="https://claims.example/org",
        oidc_user_claim="upn",
        oidc_roles_claim="groups",
    )
    tokens = OidcTokens(settings, pseudonym_key=PSEUDONYM_KEY)
    claims: dict[str, Any] = {
        "aud": ["other", "api://billing"],
        "https://claims.example/org": "fabrikam",
        "upn": "amy@fabrikam.com",
    }
    who = tokens.read(issuer.token(**claims)).principal
    assert (who.organization, who.user_name) == ("fabrikam", "amy@fabrikam.com")
    assert tokens.read(issuer.token(**claims, groups=["seatledger.service"])).principal.kind == "service"
    assert refused(tokens, issuer.token()) == "token_not_accepted"


@pytest.mark.parametrize(
    "claims",
    [
        {"organization": None},
        {"organization": ""},
        {"organization": "  "},
        {"organization": ["contoso"]},
        {"organization": {"contoso": True}},
        {"organization": 7},
        {"organization": "con\0toso"},
        {"organization": "\ud800"},
        {"preferred_username": None},
        {"preferred_username": ""},
        {"preferred_username": ["ben-canary@contoso.com"]},
        {"preferred_username": "ben-canary\udfff"},
        {"preferred_username": True},
        {"roles": "seatledger.operator"},
        {"roles": "seatledger.operator seatledger.service"},
        {"roles": {"seatledger.operator": True}},
        {"roles": ["seatledger.operator", 7]},
        {"roles": 7},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "\ud800"},
    ],
)
def test_odd_claims_are_refused_not_guessed(tokens: OidcTokens, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert refused(tokens, issuer.token(**claims)) == "token_not_accepted"


# Signed by the issuer.


def unsigned(issuer: Issuer, algorithm: Any, signature: str = "") -> str:
    header = json.dumps({"alg": algorithm, "kid": "rsa", "typ": "JWT"}).encode()
    return f"{base64url(header)}.{base64url(json.dumps(issuer.claims()).encode())}.{signature}"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", None, ["RS256"], 7, "RS999", "rs256"])
def test_a_token_without_a_signature_is_refused(tokens: OidcTokens, issuer: Issuer, algorithm: Any) -> None:
    assert refused(tokens, unsigned(issuer, algorithm)) == "token_not_accepted"
    assert refused(tokens, unsigned(issuer, algorithm, "AAAA")) == "token_not_accepted"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(tokens: OidcTokens, issuer: Issuer, algorithm: str) -> None:
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(jwk_of(RSA_KEY, "rsa")).encode(), b""):
        start = unsigned(issuer, algorithm).removesuffix(".")
        signature = hmac.digest(secret, start.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
        assert refused(tokens, f"{start}.{base64url(signature)}") == "token_not_accepted"


def test_a_foreign_key_under_a_known_name_is_refused(tokens: OidcTokens, issuer: Issuer) -> None:
    assert refused(tokens, issuer.token(key=OTHER_RSA_KEY)) == "token_not_accepted"


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
def test_an_algorithm_that_is_not_permitted_is_refused(tokens: OidcTokens, issuer: Issuer, algorithm: str) -> None:
    assert refused(tokens, issuer.token(algorithm=algorithm)) == "token_not_accepted"


def test_a_permitted_algorithm_needs_a_key_of_its_kind(tokens: OidcTokens, issuer: Issuer) -> None:
    assert refused(tokens, issuer.token(key=EC_KEY, algorithm="ES256")) == "token_not_accepted"
    assert refused(tokens, issuer.token(key=ED_KEY, algorithm="EdDSA")) == "token_not_accepted"
    assert refused(tokens, issuer.token(header={"kid": "ec"})) == "token_not_accepted"


def test_a_changed_token_is_refused(tokens: OidcTokens, issuer: Issuer) -> None:
    header, payload, signature = issuer.token().split(".")
    other = base64url(json.dumps(issuer.claims(organization="fabrikam")).encode())
    assert refused(tokens, f"{header}.{other}.{signature}") == "token_not_accepted"
    assert refused(tokens, f"{header}.{payload}.{base64url(bytes(256))}") == "token_not_accepted"


@pytest.mark.parametrize("header", ["jku", "x5u", "jwk", "x5c"])
def test_keys_that_a_token_brings_along_mean_nothing(tokens: OidcTokens, issuer: Issuer, header: str) -> None:
    mine = jwk_of(OTHER_RSA_KEY, "rsa")
    brought = {"jku": f"{issuer.url}/mine", "x5u": f"{issuer.url}/mine", "jwk": mine, "x5c": ["AAAA"]}[header]
    assert refused(tokens, issuer.token(key=OTHER_RSA_KEY, header={header: brought})) == "token_not_accepted"
    tokens.read(issuer.token(header={header: brought}))
    assert "/mine" not in issuer.asked


@pytest.mark.parametrize("more", [{"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}, {"crit": []}])
def test_an_extension_that_must_be_understood_is_not(tokens: OidcTokens, issuer: Issuer, more: dict[str, Any]) -> None:
    start = f"{base64url(json.dumps({'alg': 'RS256', 'kid': 'rsa', **more}).encode())}"
    start = f"{start}.{base64url(json.dumps(issuer.claims()).encode())}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(start.encode(), RSA_KEY)
    assert refused(tokens, f"{start}.{base64url(signature)}") in {"token_not_accepted", "token_malformed"}


def test_the_type_may_be_anything(tokens: OidcTokens, issuer: Issuer) -> None:
    for kind in ("at+jwt", "JWT", "whatever"):
        tokens.read(issuer.token(header={"typ": kind}))


# For us, and now.


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": "seatledgers"},
        {"aud": "Seatledger"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": None},
        {"aud": 7},
        {"aud": {"seatledger": True}},
        {"aud": ["seatledger", 7]},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"iss": 7},
        {"iss": ["http://127.0.0.1"]},
        {"iss": ""},
        {"exp": None},
    ],
)
def test_a_token_of_another_or_for_another_is_refused(
    tokens: OidcTokens, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert refused(tokens, issuer.token(**claims)) == "token_not_accepted"


def test_the_issuer_is_compared_to_the_letter(tokens: OidcTokens, issuer: Issuer) -> None:
    for like in (f"{issuer.url}/", issuer.url.upper(), f"{issuer.url} "):
        assert refused(tokens, issuer.token(iss=like)) == "token_not_accepted"


def test_clocks_may_differ_by_a_minute(tokens: OidcTokens, issuer: Issuer) -> None:
    now = int(time.time())
    tokens.read(issuer.token(exp=now - 50))
    tokens.read(issuer.token(nbf=now + 50, iat=now + 50))
    assert refused(tokens, issuer.token(exp=now - 61)) == "token_expired"
    assert refused(tokens, issuer.token(nbf=now + 90)) == "token_not_accepted"
    assert refused(tokens, issuer.token(iat=now + 90)) == "token_not_accepted"


def test_a_token_is_remembered_no_longer_than_it_is_good(tokens: OidcTokens, issuer: Issuer) -> None:
    now = int(time.time())

    def until(exp: int) -> float:
        accepted: Accepted = tokens.read(issuer.token(exp=exp))
        return accepted.until

    assert until(now + 20) == now + 20
    assert until(now - 20) == now - 20
    assert now + 290 < until(now + 86_400) < now + 310  # its key may be withdrawn by then


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["9999999999", True, [9999999999], {}, "never"])
def test_times_are_numbers(tokens: OidcTokens, issuer: Issuer, name: str, value: Any) -> None:
    assert refused(tokens, issuer.token(**{name: value})) == "token_malformed"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "null"])
def test_numbers_that_are_none(tokens: OidcTokens, issuer: Issuer, value: str) -> None:
    text = json.dumps(issuer.claims(exp=123454321)).replace("123454321", value)
    assert refused(tokens, signed(text.encode(), RSA_KEY, "RS256", kid="rsa")) in {
        "token_malformed",
        "token_not_accepted",
    }


def test_a_time_far_away_is_one(tokens: OidcTokens, issuer: Issuer) -> None:
    tokens.read(issuer.token(exp=1e300))
    assert refused(tokens, issuer.token(nbf=1e300)) == "token_not_accepted"
    assert refused(tokens, issuer.token(exp=-1e300)) == "token_expired"


# Shapes.


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"7",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 3000,
        b'{"iss":"a","iss":"b"}',
    ],
)
def test_a_payload_that_is_no_claims_is_malformed(tokens: OidcTokens, payload: bytes) -> None:
    assert refused(tokens, signed(payload, RSA_KEY, "RS256", kid="rsa")) == "token_malformed"


def test_a_claim_told_twice_is_refused(tokens: OidcTokens, issuer: Issuer) -> None:
    text = json.dumps(issuer.claims())
    for twice in ('"organization": "fabrikam"', '"exp": 9999999999', '"roles": [], "roles": ["seatledger.operator"]'):
        payload = f"{text[:-1]}, {twice}}}".encode()
        assert refused(tokens, signed(payload, RSA_KEY, "RS256", kid="rsa")) == "token_malformed"


@pytest.mark.parametrize(
    "token",
    [
        "a",
        "a.b",
        "a.b.c.d.e",
        "..",
        "a..c",
        "=.=.=",
        "AAAA.AAAA.AAAA",
        "ü.ü.ü",
        "\ud800.a.a",
        f"{base64url(b'[]')}.AAAA.AAAA",
        f"{base64url(b'[' * 3000)}.AAAA.AAAA",
        f"{base64url(json.dumps({'alg': 'RS256', 'kid': 7}).encode())}.AAAA.AAAA",
        f"{base64url(json.dumps({'alg': 'RS256', 'kid': ['rsa']}).encode())}.AAAA.AAAA",
        "A" * (LONGEST_TOKEN + 1),
        "canary" * 17_000,
        f"{'A' * 50_000}.{'A' * 50_000}.AAAA",
    ],
)
def test_what_is_no_token_is_malformed(tokens: OidcTokens, token: str) -> None:
    started = time.perf_counter()
    assert refused(tokens, token) == "token_malformed"
    assert time.perf_counter() - started < 0.5


def test_a_detached_payload_is_not_read(tokens: OidcTokens, issuer: Issuer) -> None:
    token = jwt.PyJWS().encode(
        json.dumps(issuer.claims()).encode(), RSA_KEY, "RS256", headers={"kid": "rsa"}, is_payload_detached=True
    )
    assert refused(tokens, token) == "token_malformed"
