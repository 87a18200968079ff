"""Keys of an issuer: found after a rotation, kept while it is away, and never read at a caller's pace."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from structlog.testing import capture_logs

from adapters.http.issuer_keys import FIRST_PAUSE_S, FRESH_S, KEPT_S, LONGEST_DOCUMENT, PAUSE_S, IssuerKeys
from adapters.http.jwk import public_keys
from adapters.http.principal import Unauthorized
from adapters.http.tokens import OidcTokens
from adapters.settings import Settings
from tests.adapters.http.issuer import EC_KEY, ED_KEY, OTHER_RSA_KEY, RSA_KEY, Issuer, an_issuer, jwk_of

WEAK_KEY = generate_private_key(65537, 1024)  # noqa: S505 - is refused
DISCOVERY = "/.well-known/openid-configuration"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with an_issuer() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    return IssuerKeys(issuer.url, clock=clock, timeout_s=0.5)


def reads(issuer: Issuer) -> int:
    return issuer.asked.count("/keys")


def unavailable(keys: IssuerKeys) -> bool:
    with pytest.raises(Unauthorized) as raised:
        keys.find("rsa", "RS256")
    return raised.value.code == "issuer_unavailable"


def test_keys_are_where_the_issuer_says_and_read_once(issuer: Issuer, keys: IssuerKeys) -> None:
    assert not issuer.asked  # nothing before the first token: the API starts without its issuer
    for _ in range(100):
        assert keys.find("rsa", "RS256")
        assert keys.find("ec", "ES256")
    assert issuer.asked == [DISCOVERY, "/keys"]


def test_keys_may_be_where_the_settings_say(issuer: Issuer) -> None:
    settings = Settings(oidc_issuer=issuer.url, oidc_jwks_url=f"{issuer.url}/keys")
    OidcTokens(settings, pseudonym_key=bytes(32)).read(issuer.token())
    assert issuer.asked == ["/keys"]


def test_an_issuer_with_a_slash_at_its_end(issuer: Issuer) -> None:
    issuer.says_it_is = f"{issuer.url}/"
    tokens = OidcTokens(Settings(oidc_issuer=issuer.says_it_is), pseudonym_key=bytes(32))
    tokens.read(issuer.token(iss=issuer.says_it_is))
    assert issuer.asked == [DISCOVERY, "/keys"]


def test_unknown_keys_cannot_make_it_ask_at_their_pace(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert keys.find("rsa", "RS256")
    for number in range(500):
        assert keys.find(f"unknown-{number}", "RS256") is None
    assert reads(issuer) == 1
    for pauses in range(1, 4):
        clock.now += PAUSE_S
        for number in range(100):
            assert keys.find(f"unknown-{number}", "RS256") is None
        assert reads(issuer) == 1 + pauses


def test_unknown_keys_of_many_threads_ask_once(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert keys.find("rsa", "RS256")
    clock.now += PAUSE_S
    issuer.pause_s = 0.05
    threads = [threading.Thread(target=keys.find, args=(f"unknown-{number}", "RS256")) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads(issuer) == 2


def test_a_new_key_is_found_after_the_pause_and_a_withdrawn_one_is_not(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    assert keys.find("rsa", "RS256")
    issuer.keys = [jwk_of(OTHER_RSA_KEY, "rsa-2")]
    assert keys.find("rsa-2", "RS256") is None
    clock.now += PAUSE_S
    assert keys.find("rsa-2", "RS256")
    assert keys.find("rsa", "RS256") is None


def test_a_withdrawn_key_is_forgotten_when_the_keys_are_old(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert keys.find("rsa", "RS256")
    issuer.keys = [jwk_of(OTHER_RSA_KEY, "rsa-2")]
    clock.now += FRESH_S - 1
    assert keys.find("rsa", "RS256")
    clock.now += 1
    assert keys.find("rsa", "RS256") is None


def test_keys_go_on_while_the_issuer_is_away(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert keys.find("rsa", "RS256")
    issuer.status = 500
    clock.now += FRESH_S
    with capture_logs() as logs:
        for _ in range(100):
            assert keys.find("rsa", "RS256")
            assert keys.find("unknown", "RS256") is None
    asked = len(issuer.asked)
    assert asked == 3  # the configuration, the keys, and one try that failed
    assert [(log["event"], log["why"]) for log in logs] == [("issuer_keys_not_read", "it answers 500")]
    clock.now += KEPT_S
    assert unavailable(keys)
    issuer.status = 200
    clock.now += PAUSE_S
    assert keys.find("rsa", "RS256")


def test_without_any_key_nobody_is_known_and_nobody_waits_in_line(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    issuer.status = 503
    assert unavailable(keys)
    started = time.perf_counter()
    assert all(unavailable(keys) for _ in range(100))
    assert time.perf_counter() - started < 0.5
    assert len(issuer.asked) == 1
    issuer.status = 200
    clock.now += FIRST_PAUSE_S
    assert keys.find("rsa", "RS256")


def test_an_issuer_that_is_not_there_is_no_verdict_on_a_token(issuer: Issuer) -> None:
    with an_issuer() as gone:
        url = gone.url
    tokens = OidcTokens(Settings(oidc_issuer=url), pseudonym_key=bytes(32))
    with pytest.raises(Unauthorized) as raised:
        tokens.read(issuer.token())
    assert raised.value.code == "issuer_unavailable"


def test_an_issuer_that_hangs_holds_nobody_for_long(issuer: Issuer, keys: IssuerKeys) -> None:
    issuer.pause_s = 2.0
    started = time.perf_counter()
    assert unavailable(keys)
    assert time.perf_counter() - started < 1.5


def test_while_one_reads_others_use_what_there_is(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert keys.find("rsa", "RS256")
    clock.now += FRESH_S
    issuer.pause_s = 0.4
    reader = threading.Thread(target=keys.find, args=("rsa", "RS256"))
    reader.start()
    time.sleep(0.1)
    started = time.perf_counter()
    assert keys.find("rsa", "RS256")
    assert time.perf_counter() - started < 0.25
    reader.join()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [7, null, {}]}',
        b"\xff",
        b"[" * 100_000,
        b" " * (LONGEST_DOCUMENT + 1),
    ],
)
def test_what_is_no_set_of_keys_does_not_replace_one(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, body: bytes
) -> None:
    assert keys.find("rsa", "RS256")
    issuer.body = body
    clock.now += FRESH_S
    assert keys.find("rsa", "RS256")
    assert reads(issuer) == 2


def test_the_configuration_of_another_issuer_is_not_used(issuer: Issuer, keys: IssuerKeys) -> None:
    issuer.says_it_is = "https://elsewhere.example"
    assert unavailable(keys)
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize("url", ["http://elsewhere.example/keys", "file:///etc/passwd", 7, None, ""])
def test_keys_are_not_read_from_where_anybody_could_answer(issuer: Issuer, keys: IssuerKeys, url: Any) -> None:
    issuer.jwks_uri = url
    assert unavailable(keys)


def test_redirects_are_not_followed(issuer: Issuer, keys: IssuerKeys) -> None:
    issuer.status = 302
    assert unavailable(keys)
    assert issuer.asked == [DISCOVERY]


def test_a_token_without_a_key_s_name_means_the_only_key(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    found = keys.find(None, "ES256")
    assert found is not None
    assert found.key_id == "ec"
    issuer.keys = [jwk_of(RSA_KEY, "one"), jwk_of(OTHER_RSA_KEY, "two")]
    clock.now += FRESH_S
    assert keys.find(None, "RS256") is None


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "AAAA", "kid": "a"},
        {"kty": "oct", "k": "AAAA", "kid": "a", "alg": "RS256"},
        jwk_of(WEAK_KEY, "a"),
        jwk_of(RSA_KEY, "a", use="enc"),
        jwk_of(RSA_KEY, "a", use=["sig"]),
        jwk_of(RSA_KEY, "a", key_ops=["encrypt"]),
        jwk_of(RSA_KEY, "a", alg="HS256"),
        jwk_of(RSA_KEY, "a", alg="ES256"),
        jwk_of(RSA_KEY, "a", alg="RSA-OAEP"),
        jwk_of(RSA_KEY, "a", alg=["RS256"]),
        jwk_of(RSA_KEY, "a", d="AAAA"),
        jwk_of(RSA_KEY, "a", n=7),
        jwk_of(RSA_KEY, "a", n="!"),
        jwk_of(RSA_KEY, "a", e="AA"),
        jwk_of(EC_KEY, "a", crv="P-521"),
        jwk_of(EC_KEY, "a", crv="secp256k1"),
        jwk_of(EC_KEY, "a", x="AAAA"),
        jwk_of(ED_KEY, "a", x="AAAA"),
        jwk_of(ED_KEY, "a", crv=["Ed25519"]),
        jwk_of(RSA_KEY, "a", kid=7),
    ],
)
def test_keys_that_are_not_for_this_are_left_out(jwk: dict[str, Any]) -> None:
    good = jwk_of(RSA_KEY, "good")
    assert [key.key_id for key in public_keys({"keys": [jwk, good]})] == ["good"]


def test_a_key_is_good_for_what_it_is_meant_for() -> None:
    document = json.loads(
        json.dumps(
            {
                "keys": [
                    jwk_of(RSA_KEY, "any", key_ops=["verify"], use="sig"),
                    jwk_of(RSA_KEY, "one", alg="RS512"),
                    jwk_of(ED_KEY, "ed", alg="Ed25519"),
                ]
            }
        )
    )
    any_of, one, ed = public_keys(document)
    assert any_of.algorithms == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert one.algorithms == {"RS512"}
    assert ed.algorithms == {"EdDSA"}
