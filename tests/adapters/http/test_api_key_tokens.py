"""API keys: compared as hashes, remembered for five seconds at most, and never repeated in what is told."""

from __future__ import annotations

import hashlib
import hmac
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.http.api_key_tokens import REMEMBERED_S, ApiKeyTokens
from adapters.http.bearers import Bearers
from adapters.http.principal import HouseRole, Principal, Unauthorized

SECRET = "secret_canary-0123456789abcdefghijklmnopqrstu"
KEY_ID = "0123456789ab"
TOKEN = f"sl_{KEY_ID}_{SECRET}"
ACTOR_ID = UUID(int=7)
START = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    role: HouseRole = "service"
    actor_id: UUID = ACTOR_ID
    secret_sha256: bytes = hashlib.sha256(SECRET.encode()).digest()
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Keys:
    """A table with one key, and how often it was asked."""

    def __init__(self, row: Row | None = None) -> None:
        self.row = row
        self.now = START
        self.asked: list[str] = []
        self.tokens = ApiKeyTokens(self.find, clock=self.time)
        self.bearers = Bearers(jwts=self.tokens, api_keys=self.tokens, clock=self.time)

    def time(self) -> float:
        return self.now.timestamp()

    def read(self, token: str = TOKEN) -> Principal:
        return self.bearers.read(f"Bearer {token}")

    def find(self, key_id: str) -> Row | None:
        self.asked.append(key_id)
        return self.row if key_id == KEY_ID else None

    def refused(self, token: str = TOKEN) -> str:
        with pytest.raises(Unauthorized) as raised:
            self.read(token)
        told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + raised.value.message
        assert "canary" not in told
        assert KEY_ID not in told
        return raised.value.code


@pytest.mark.parametrize("role", ["operator", "service"])
def test_a_key_has_a_role_and_an_id_and_no_organization(role: HouseRole) -> None:
    who = Keys(Row(role=role)).read()
    assert who == Principal(role, ACTOR_ID, None, None, f"api-key:{KEY_ID}")
    assert "canary" not in repr(who)


@pytest.mark.parametrize(
    "token",
    [
        f"sl_{KEY_ID}_{SECRET[:-1]}",
        f"sl_{KEY_ID}_{SECRET}a",
        f"sl_{KEY_ID}_{SECRET.upper()}",
        f"sl_ba9876543210_{SECRET}",
    ],
)
def test_a_wrong_secret_and_an_unknown_key_are_told_the_same(token: str) -> None:
    assert Keys(Row()).refused(token) == "token_not_accepted"


@pytest.mark.parametrize(
    "token",
    [
        "sl_",
        "sl__",
        f"sl_{KEY_ID}",
        f"sl_{KEY_ID}_",
        f"sl_{KEY_ID}_short",
        f"sl__{SECRET}",
        f"sl_{KEY_ID}_{SECRET}!",
        f"sl_{KEY_ID}'--_{SECRET}",
        f"sl_{'a' * 65}_{SECRET}",
        f"sl_{KEY_ID}_{'a' * 257}",
    ],
)
def test_what_is_no_key_does_not_reach_the_database(token: str) -> None:
    keys = Keys(Row())
    assert keys.refused(token) == "token_malformed"
    assert not keys.asked


def test_a_secret_is_compared_in_constant_time_also_when_the_key_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare(mine: bytes, kept: bytes) -> bool:
        compared.append(len(kept))
        return mine == kept

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert Keys(Row()).refused(f"sl_{KEY_ID}_{SECRET[:-1]}") == "token_not_accepted"
    assert Keys(None).refused() == "token_not_accepted"
    assert compared == [32, 32]


def test_a_revoked_key_is_refused_after_five_seconds_at_the_latest() -> None:
    keys = Keys(Row())
    keys.read()
    keys.row = Row(revoked_at=START)
    keys.now += timedelta(seconds=REMEMBERED_S - 0.1)
    keys.read()
    keys.now += timedelta(seconds=0.1)
    assert keys.refused() == "token_not_accepted"
    assert len(keys.asked) == 2


def test_a_key_in_use_is_looked_up_once_in_five_seconds() -> None:
    keys = Keys(Row())
    for _ in range(100):
        keys.now += timedelta(seconds=0.1)
        keys.read()
    assert len(keys.asked) == 2


def test_a_key_is_not_remembered_past_its_end() -> None:
    keys = Keys(Row(expires_at=START + timedelta(seconds=2)))
    keys.read()
    keys.now += timedelta(seconds=1.9)
    keys.read()
    keys.now += timedelta(seconds=0.1)
    assert keys.refused() == "token_expired"


def test_a_key_that_was_revoked_is_not_told_to_have_expired() -> None:
    assert Keys(replace(Row(), expires_at=START, revoked_at=START)).refused() == "token_not_accepted"
    assert Keys(Row(expires_at=START)).refused(f"sl_{KEY_ID}_{SECRET}a") == "token_not_accepted"


def test_a_refusal_is_not_remembered() -> None:
    keys = Keys(None)
    assert keys.refused() == "token_not_accepted"
    keys.row = Row()
    assert keys.read().kind == "service"
