"""The front door: one header, each token by its reader, remembered while it is good and no longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.http.bearers import Bearers, bearers_of
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.http.principal import Accepted, Principal, Unauthorized
from adapters.http.tokens import LONGEST_TOKEN
from adapters.settings import Settings
from tests.adapters.http.issuer import Issuer, an_issuer

FINGERPRINT_KEY = "5a" * 32


class Reader:
    """Accepts everything but `bad`, for ten seconds, and counts."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.good_s = 10.0
        self.read_tokens: list[str] = []

    def read(self, token: str) -> Accepted:
        self.read_tokens.append(token)
        if "bad" in token:
            raise Unauthorized("token_not_accepted", "no")
        return Accepted(Principal("member", None, "contoso", f"{token}@contoso.com", token), self.now + self.good_s)


@pytest.fixture
def jwts() -> Reader:
    return Reader()


@pytest.fixture
def api_keys() -> Reader:
    return Reader()


@pytest.fixture
def bearers(jwts: Reader, api_keys: Reader) -> Bearers:
    return Bearers(jwts=jwts, api_keys=api_keys, most=100, clock=lambda: jwts.now)


def nothing(_key_id: str) -> None:
    return None


def code(bearers: Bearers, header: str | None) -> str:
    """The code of the refusal: the same whether one waits or not, where the header alone says it."""
    with pytest.raises(Unauthorized) as raised:
        bearers.read(header)
    assert "canary" not in f"{raised.value!r}{raised.value.message}"
    return raised.value.code


@pytest.mark.parametrize("header", [None, "", "   ", "Basic canary", "Digest canary", "canary", "Token canary"])
def test_without_a_bearer_token_one_is_asked_for(bearers: Bearers, header: str | None) -> None:
    assert code(bearers, header) == "token_missing"
    with pytest.raises(Unauthorized, match="Bearer"):
        bearers.known(header)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer canary canary",
        "Bearer canary, Bearer canary",
        "Bearer\tcanary",
        "Bearercanary",
        "Bearer canary\x00",
        "Bearer canary\nX: y",
        "Bearer cänary",
        "Bearer \ud800canary",
        f"Bearer {'canary' * 17_000}",
        f"Bearer {'a' * (LONGEST_TOKEN + 1)}",
    ],
)
def test_a_header_that_is_none_is_malformed(bearers: Bearers, jwts: Reader, header: str) -> None:
    assert code(bearers, header) == "token_malformed"
    assert not jwts.read_tokens


@pytest.mark.parametrize("header", ["Bearer one", "bearer one", "BEARER   one", " Bearer one "])
def test_the_scheme_is_read_in_any_case(bearers: Bearers, jwts: Reader, header: str) -> None:
    assert bearers.read(header).key == "one"
    assert jwts.read_tokens == ["one"]


def test_each_token_goes_to_the_reader_of_its_shape(bearers: Bearers, jwts: Reader, api_keys: Reader) -> None:
    bearers.read("Bearer sl_a_b")
    bearers.read("Bearer a.b.c")
    bearers.read("Bearer SL_a_b")
    assert api_keys.read_tokens == ["sl_a_b"]
    assert jwts.read_tokens == ["a.b.c", "SL_a_b"]


def test_the_second_time_is_remembered_until_the_token_ends(bearers: Bearers, jwts: Reader) -> None:
    assert bearers.known("Bearer one") is None
    first = bearers.read("Bearer one")
    jwts.now += 9.999
    assert bearers.known("Bearer one") is first
    assert bearers.read("Bearer one") is first
    assert jwts.read_tokens == ["one"]
    jwts.now += 0.001
    assert bearers.known("Bearer one") is None
    bearers.read("Bearer one")
    assert jwts.read_tokens == ["one", "one"]


def test_a_token_in_its_leeway_is_not_remembered(bearers: Bearers, jwts: Reader) -> None:
    jwts.good_s = 0
    bearers.read("Bearer one")
    assert bearers.known("Bearer one") is None


def test_a_clock_that_is_set_back_makes_nothing_good_for_longer(bearers: Bearers, jwts: Reader) -> None:
    bearers.read("Bearer one")
    jwts.now -= 3600
    assert bearers.known("Bearer one") is None


def test_a_refusal_is_not_remembered(bearers: Bearers, jwts: Reader) -> None:
    for _ in range(2):
        assert code(bearers, "Bearer bad") == "token_not_accepted"
    assert len(jwts.read_tokens) == 2
    assert bearers.known("Bearer bad") is None


def test_so_many_are_remembered_and_the_one_used_longest_ago_goes(bearers: Bearers) -> None:
    for number in range(100):
        bearers.read(f"Bearer {number}")
    assert bearers.known("Bearer 0")  # used just now
    for number in range(100, 150):
        bearers.read(f"Bearer {number}")
    assert bearers.known("Bearer 0")
    assert bearers.known("Bearer 1") is None
    assert bearers.known("Bearer 149")
    assert len(bearers._remembered) == 100


def test_no_token_lies_in_memory(bearers: Bearers) -> None:
    bearers.read("Bearer one")
    assert all(len(digest) == 32 and b"one" not in digest for digest in bearers._remembered)


def test_threads_do_not_mix_callers_up(bearers: Bearers) -> None:
    bearers._most = 5  # so that entries come and go
    start = threading.Barrier(8)

    def read(thread: int) -> None:
        start.wait()
        for turn in range(2000):
            name = str((turn * 7 + thread) % 12)
            assert bearers.read(f"Bearer {name}").key == name

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read, range(8)))
    assert len(bearers._remembered) <= 5


# By the settings.


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with an_issuer() as issuer:
        yield issuer


def test_where_an_issuer_is_set_its_tokens_are_accepted_and_no_others(issuer: Issuer, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, oidc_issuer=issuer.url)
    bearers = bearers_of(settings, nothing)
    assert bearers.read(f"Bearer {issuer.token()}").organization == "contoso"
    assert bearers.known(f"Bearer {issuer.token(jti='other')}") is None
    development = DevelopmentIssuer(tmp_path).issue("contoso", "ben@contoso.com", None, 1)
    assert code(bearers, f"Bearer {development}") == "token_not_accepted"


def test_in_development_only_its_own_tokens_are_accepted(issuer: Issuer, tmp_path: Path) -> None:
    bearers = bearers_of(Settings(home=tmp_path), nothing)
    token = DevelopmentIssuer(tmp_path).issue("contoso", "ben@contoso.com", None, 1)
    assert bearers.read(f"Bearer {token}").user_name == "ben@contoso.com"
    assert code(bearers, f"Bearer {issuer.token()}") == "token_not_accepted"


def test_elsewhere_only_api_keys_are(tmp_path: Path) -> None:
    bearers = bearers_of(Settings(home=tmp_path, development=False), nothing)
    token = DevelopmentIssuer(tmp_path).issue(None, None, "operator", 1)
    with pytest.raises(Unauthorized, match="SEATLEDGER_OIDC_ISSUER") as raised:
        bearers.read(f"Bearer {token}")
    assert raised.value.code == "token_not_accepted"
