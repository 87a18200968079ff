"""Tokens for trying things out: signed with a key of this folder, and with no other."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from adapters.http.development_issuer import AUDIENCE, ISSUER, KEY_FILE, LONGEST_HOURS, DevelopmentIssuer
from adapters.http.principal import HouseRole, Unauthorized
from adapters.settings import SettingsInvalid
from tests.adapters.http.issuer import ED_KEY, RSA_KEY, PrivateKey, signed


def test_a_member_s_token_names_organization_and_user(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer(tmp_path)
    who = DevelopmentIssuer(tmp_path).read(issuer.issue("contoso", "ben@contoso.com", None, 8)).principal
    assert (who.kind, who.actor_id) == ("member", None)
    assert (who.organization, who.user_name) == ("contoso", "ben@contoso.com")
    assert "ben" not in who.key
    again = issuer.read(issuer.issue("contoso", "ben@contoso.com", None, 1)).principal
    assert again.key == who.key


@pytest.mark.parametrize("role", ["operator", "service"])
def test_the_house_s_own_have_a_role(tmp_path: Path, role: HouseRole) -> None:
    issuer = DevelopmentIssuer(tmp_path)
    who = issuer.read(issuer.issue("contoso", "ben@contoso.com", role, 1)).principal
    assert (who.kind, who.organization, who.user_name) == (role, None, None)
    assert who.actor_id == issuer.read(issuer.issue(None, None, role, 1)).principal.actor_id


def test_the_key_is_made_once_by_whoever_is_first_and_is_nobody_else_s_to_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(16) as threads:
        tokens = list(
            threads.map(lambda _: DevelopmentIssuer(home).issue("contoso", "ben@contoso.com", None, 1), range(32))
        )
    issuer = DevelopmentIssuer(home)
    assert {issuer.read(token).principal.organization for token in tokens} == {"contoso"}
    assert [path.name for path in home.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((home / KEY_FILE).stat().st_mode) == 0o600


def test_tokens_of_another_folder_are_refused(tmp_path: Path) -> None:
    token = DevelopmentIssuer(tmp_path / "one").issue("contoso", "ben@contoso.com", None, 1)
    with pytest.raises(Unauthorized) as raised:
        DevelopmentIssuer(tmp_path / "other").read(token)
    assert raised.value.code == "token_not_accepted"


@pytest.mark.parametrize(("key", "algorithm"), [(ED_KEY, "EdDSA"), (RSA_KEY, "RS256")])
def test_a_foreign_key_is_refused(tmp_path: Path, key: PrivateKey, algorithm: str) -> None:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "operator", "exp": now + 60, "roles": ["seatledger.operator"]}
    with pytest.raises(Unauthorized) as raised:
        DevelopmentIssuer(tmp_path).read(signed(json.dumps(claims).encode(), key, algorithm))
    assert raised.value.code == "token_not_accepted"


def test_it_ends(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer(tmp_path)
    claims = jwt.decode(issuer.issue("contoso", "ben@contoso.com", None, 8), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 8 * 3600
    for hours in (0, -1, LONGEST_HOURS + 1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="hours"):
            issuer.issue("contoso", "ben@contoso.com", None, hours)


@pytest.mark.parametrize(
    ("organization", "user_name"), [(None, "ben"), ("contoso", None), ("", "ben"), ("contoso", "")]
)
def test_a_member_has_both(tmp_path: Path, organization: str | None, user_name: str | None) -> None:
    with pytest.raises(ValueError, match="a member has"):
        DevelopmentIssuer(tmp_path).issue(organization, user_name, None, 1)


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31, "ab" * 33])
def test_a_damaged_key_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(SettingsInvalid, match=f"{KEY_FILE} in SEATLEDGER_HOME is damaged") as raised:
        DevelopmentIssuer(tmp_path)
    assert not content or content not in str(raised.value)
