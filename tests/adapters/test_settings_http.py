"""Settings of the HTTP API: whom it trusts is checked at start, and nothing weak can be set."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings import Settings, SettingsInvalid, read_settings
from adapters.settings_http import PERMITTED_ALGORITHMS, HttpSettings, is_trustworthy

ISSUER = "https://login.example.com/tenant/"
CANARY = "s3cret-canary"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", *(field.upper() for field in HttpSettings.model_fields)):
        monkeypatch.delenv(f"SEATLEDGER_{name}", raising=False)


def test_nothing_set_means_this_machine_only_and_no_issuer() -> None:
    settings = read_settings()
    assert (settings.api_host, settings.api_port, settings.api_concurrency) == ("127.0.0.1", 8080, 32)
    assert (settings.oidc_issuer, settings.oidc_jwks_url, settings.oidc_audience) == (None, None, "seatledger")
    assert settings.oidc_algorithms == ("RS256", "ES256", "EdDSA")
    assert settings.oidc_organization_claim == "organization"
    assert settings.oidc_user_claim == "preferred_username"
    assert settings.oidc_roles_claim == "roles"
    assert (settings.api_rate_per_key, settings.api_rate_per_organization) == ("600/minute", "3000/minute")


def test_an_issuer_stays_as_it_writes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_OIDC_ISSUER", ISSUER)
    assert read_settings().oidc_issuer == ISSUER


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OIDC_ISSUER", f"http://{CANARY}.example.com"),
        ("OIDC_ISSUER", f"https://login.example.com/?a={CANARY}"),
        ("OIDC_ISSUER", f"file:///{CANARY}"),
        ("OIDC_ALGORITHMS", f"RS256,{CANARY}"),
        ("OIDC_ALGORITHMS", "HS256"),
        ("OIDC_ALGORITHMS", "RS256,none"),
        ("OIDC_ALGORITHMS", "rs256"),
        ("OIDC_ALGORITHMS", ","),
        ("DEVELOPMENT", CANARY),
        ("API_HOST", f"http://{CANARY}"),
        ("API_PORT", "65536"),
        ("API_PORT", "-1"),
        ("API_CONCURRENCY", "0"),
        ("API_RATE_PER_KEY", CANARY),
        ("API_RATE_PER_KEY", "0/minute"),
        ("API_RATE_PER_KEY", "600"),
        ("API_RATE_PER_KEY", "600/fortnight"),
        ("API_RATE_PER_KEY", "600/minute;1/second"),
        ("API_RATE_PER_ORGANIZATION", "-5/minute"),
    ],
)
def test_a_bad_value_is_one_line_with_the_name_and_without_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"SEATLEDGER_{variable}", value)
    with pytest.raises(SettingsInvalid) as refused:
        read_settings()
    assert str(refused.value).startswith(f"SEATLEDGER_{variable} ")
    assert CANARY not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_algorithms_come_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_OIDC_ALGORITHMS", "PS256, ES384")
    assert read_settings().oidc_algorithms == ("PS256", "ES384")


def test_no_permitted_algorithm_shares_a_secret() -> None:
    assert not [name for name in PERMITTED_ALGORITHMS if name.startswith("HS") or name.lower() == "none"]


@pytest.mark.parametrize("rate", ["1/second", "600/minute", "10 per hour", "5/10 minutes"])
def test_a_rate_is_a_number_per_time(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    monkeypatch.setenv("SEATLEDGER_API_RATE_PER_KEY", rate)
    assert read_settings().api_rate_per_key == rate


def test_keys_without_an_issuer_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_OIDC_JWKS_URL", "https://login.example.com/keys?p=policy")
    with pytest.raises(SettingsInvalid, match="without SEATLEDGER_OIDC_ISSUER"):
        read_settings()
    monkeypatch.setenv("SEATLEDGER_OIDC_ISSUER", ISSUER)
    assert read_settings().oidc_jwks_url == "https://login.example.com/keys?p=policy"


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://login.example.com", True),
        ("https://login.example.com:8443/tenant", True),
        ("http://127.0.0.1:9000", True),
        ("http://127.3.2.1", True),
        ("http://[::1]:9000", True),
        ("http://localhost:9000", True),
        ("http://login.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1@login.example.com", False),
        ("http://login.example.com\\@127.0.0.1", False),
        ("https://user:word@login.example.com", False),
        ("https://login.example.com#part", False),
        ("https://login.example.com:notaport", False),
        ("https://login.example.com/\n", False),
        ("https://löwe.example.com", False),
        ("https://", False),
        ("login.example.com", False),
        ("file:///etc/passwd", False),
    ],
)
def test_keys_are_read_by_https_or_on_this_machine(url: str, trusted: bool) -> None:
    assert is_trustworthy(url) is trusted


def test_development_is_where_everything_is_embedded_unless_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Settings(home=tmp_path).in_development
    assert not Settings(home=tmp_path, development=False).in_development
    assert not Settings(home=tmp_path, oidc_issuer=ISSUER).in_development
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", "postgresql://app@db/seatledger")
    assert not read_settings().in_development
    monkeypatch.setenv("SEATLEDGER_DEVELOPMENT", "true")
    assert read_settings().in_development


def test_development_beside_an_issuer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_DEVELOPMENT", "true")
    monkeypatch.setenv("SEATLEDGER_OIDC_ISSUER", ISSUER)
    with pytest.raises(SettingsInvalid, match="two issuers would be trusted"):
        read_settings()
    monkeypatch.setenv("SEATLEDGER_DEVELOPMENT", "false")
    assert not read_settings().in_development
