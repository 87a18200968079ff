"""API keys: what is stored tells no secret, and a key that was revoked or has expired is not accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
import pytest

from adapters.postgres.api_keys import ApiKeys, matches
from adapters.postgres.session import API, APP, PROJECTOR, session
from domain.refusals import NotFound
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import at_once

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def keys(url: str) -> Iterator[ApiKeys]:
    with ApiKeys(url) as keys:
        yield keys


def test_a_key_is_found_again_by_its_id(keys: ApiKeys) -> None:
    made, secret = keys.create("service", "event feed of the warehouse", NOW)
    assert keys.find(made.key_id) == made
    assert (made.role, made.label, made.expires_at) == ("service", "event feed of the warehouse", NOW)
    assert made.revoked_at is None
    assert made.text(secret) == f"sl_{made.key_id}_{secret}"
    assert len(secret) == 43
    assert keys.find("0" * 12) is None


def test_two_keys_share_nothing(keys: ApiKeys) -> None:
    (one, secret), (other, other_secret) = (keys.create("operator", "the same") for _ in range(2))
    assert secret != other_secret
    assert not {one.key_id, one.actor_id, one.secret_sha256} & {other.key_id, other.actor_id, other.secret_sha256}
    assert keys.list() == [one, other]


def test_the_secret_is_stored_nowhere_and_shown_by_nothing(keys: ApiKeys, admin: Admin) -> None:
    made, secret = keys.create("service", "feed")
    stored = admin.execute("SELECT keys::text, secret_sha256 FROM api.keys").fetchone()
    assert stored is not None
    assert secret not in stored[0]
    assert stored[1] == made.secret_sha256 == sha256(secret.encode()).digest()
    assert made.secret_sha256.hex() not in repr(made)
    assert repr(made.secret_sha256) not in repr(made)


def test_only_its_own_secret_is_the_key_s(keys: ApiKeys) -> None:
    made, secret = keys.create("service", "feed")
    assert matches(made, secret, NOW)
    for wrong in (
        "",
        secret[:-1],
        secret + "A",
        secret.swapcase(),
        keys.create("service", "other")[1],
        "\ud800",
        "é\0",
    ):
        assert not matches(made, wrong, NOW)


def test_a_key_ends_when_it_expires_or_is_revoked(keys: ApiKeys) -> None:
    made, secret = keys.create("service", "feed", NOW)
    assert matches(made, secret, NOW - timedelta(microseconds=1))
    assert not matches(made, secret, NOW)
    assert not matches(replace(made, expires_at=None, revoked_at=NOW), secret, NOW - timedelta(days=1))


def test_revoking_again_changes_nothing(keys: ApiKeys) -> None:
    made, _ = keys.create("service", "feed")
    revoked = keys.revoke(made.key_id)
    assert revoked.revoked_at is not None
    assert keys.revoke(made.key_id) == keys.find(made.key_id) == revoked


@pytest.mark.parametrize("key_id", ["0" * 12, "", "nobody's", "A" * 12, "0" * 13, "0" * 11 + "\0", "\ud800"])
def test_a_key_that_there_is_not_is_neither_found_nor_revoked(keys: ApiKeys, key_id: str) -> None:
    assert keys.find(key_id) is None
    with pytest.raises(NotFound):
        keys.revoke(key_id)


def test_the_api_only_looks(keys: ApiKeys, url: str) -> None:
    made, _ = keys.create("operator", "the house")
    with ApiKeys(url, role=API) as looking:
        assert looking.find(made.key_id) == made
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            looking.revoke(made.key_id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            looking.create("operator", "mine")


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (APP, "DELETE FROM api.keys"),
        (APP, "TRUNCATE api.keys"),
        (APP, "UPDATE api.keys SET role = 'operator'"),
        (APP, "UPDATE api.keys SET secret_sha256 = sha256('mine')"),
        (APP, "UPDATE api.keys SET expires_at = NULL"),
        (API, "UPDATE api.keys SET revoked_at = NULL"),
        (API, "DELETE FROM api.keys"),
        (PROJECTOR, "SELECT FROM api.keys"),
    ],
)
def test_nobody_changes_what_a_key_may_or_deletes_one(url: str, role: str, statement: str) -> None:
    with psycopg.connect(session(url, role=role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("values", ["'admin', sha256('x')", "'service', 'short'"])
def test_the_table_takes_no_other_role_and_no_other_hash(url: str, values: str) -> None:
    columns = "(key_id, label, actor_id, role, secret_sha256)"
    statement = f"INSERT INTO api.keys {columns} VALUES ('00000000000a', 'x', gen_random_uuid(), {values})"  # noqa: S608
    with psycopg.connect(session(url, role=APP)) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(statement.encode())


def test_eight_threads_look_at_once_and_go_on_when_their_connections_are_lost(keys: ApiKeys, admin: Admin) -> None:
    made, _ = keys.create("service", "feed")
    assert at_once(8, lambda _: keys.find(made.key_id)) == [made] * 8
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'seatledger keys'"
    )
    assert at_once(8, lambda _: keys.find(made.key_id)) == [made] * 8
