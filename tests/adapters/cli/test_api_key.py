"""api-key: shown once, accepted until it ends, and an operator's business alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from adapters.http.api_key_tokens import ApiKeyTokens
from adapters.http.bearers import Bearers, bearers_of
from adapters.http.principal import Unauthorized
from adapters.postgres.api_keys import ApiKeys
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def keys(cli_settings: Settings) -> Iterator[ApiKeys]:
    assert cli_settings.database_url
    with ApiKeys(cli_settings.database_url.get_secret_value()) as keys:
        yield keys


@pytest.fixture
def bearers(cli_settings: Settings, keys: ApiKeys) -> Bearers:
    return bearers_of(cli_settings, keys.find)


def listed(operator: Console, key_id: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = operator.done("api-key", "list")["api_keys"]
    (one,) = (key for key in found if key["key_id"] == key_id)
    return one


@pytest.mark.parametrize("role", ["operator", "service"])
def test_a_key_is_shown_once_and_is_accepted(operator: Console, bearers: Bearers, role: str) -> None:
    made = operator.done("api-key", "create", "--label", " nightly import ", "--role", role)
    who = bearers.read(f"Bearer {made['key']}")
    assert (who.kind, who.actor_id, who.organization) == (role, UUID(made["actor_id"]), None)
    again = listed(operator, made["key_id"])
    assert again == {name: value for name, value in made.items() if name != "key"}
    assert again["label"] == "nightly import"
    secret = made["key"].split("_", 2)[2]
    assert secret not in operator.said("api-key", "list").out + json.dumps(again)


def test_for_people_the_key_stands_alone_on_stdout(operator: Console, bearers: Bearers) -> None:
    said = operator.said("api-key", "create", "--label", "import", "--role", "service", "--days", "90")
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert bearers.read(f"Bearer {said.out.strip()}").kind == "service"
    assert "it is not shown again" in said.err
    assert said.out.strip() not in said.err


def test_a_revoked_key_is_refused(operator: Console, bearers: Bearers) -> None:
    made = operator.done("api-key", "create", "--label", "import", "--role", "operator")
    revoked = operator.done("api-key", "revoke", made["key_id"])
    assert revoked["revoked_at"]
    assert operator.done("api-key", "revoke", made["key_id"]) == revoked
    with pytest.raises(Unauthorized) as refused:
        bearers.read(f"Bearer {made['key']}")
    assert refused.value.code == "token_not_accepted"
    assert "revoked" in operator.said("api-key", "list").out


def test_a_key_that_ended_is_refused(operator: Console, keys: ApiKeys) -> None:
    made = operator.done("api-key", "create", "--label", "import", "--role", "service", "--days", "1")
    tomorrow = ApiKeyTokens(keys.find, clock=lambda: time.time() + 86_400)
    with pytest.raises(Unauthorized) as refused:
        tomorrow.read(made["key"])
    assert refused.value.code == "token_expired"


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--label", "", "--role", "service"),
        ("create", "--label", "  ", "--role", "service"),
        ("create", "--label", "a" * 101, "--role", "service"),
        ("create", "--label", "a\udcff", "--role", "service"),
        ("create", "--label", "import", "--role", "admin"),
        ("create", "--label", "import"),
        ("create", "--role", "service"),
        ("create", "--label", "import", "--role", "service", "--days", "0"),
        ("revoke",),
    ],
)
def test_what_cannot_be_is_refused(operator: Console, words: tuple[str, ...]) -> None:
    said = operator.said("api-key", *words)
    assert said.code == 2
    one_line_of(said)
    assert not said.out


def test_a_whole_key_given_for_its_id_is_not_repeated(operator: Console) -> None:
    made = operator.done("api-key", "create", "--label", "import", "--role", "service")
    said = operator.said("api-key", "revoke", made["key"])
    assert said.code == 2
    assert made["key"].split("_", 2)[2] not in one_line_of(said)


@pytest.mark.parametrize("key_id", ["0123456789ab", "x", "'; drop"])
def test_an_unknown_key_is_told(operator: Console, key_id: str) -> None:
    assert operator("api-key", "revoke", key_id).refused == "not_found"


@pytest.mark.parametrize("words", [("list",), ("create", "--label", "import", "--role", "operator"), ("revoke", "x")])
def test_members_have_nothing_to_do_with_it(anybody: Console, words: tuple[str, ...]) -> None:
    said = anybody.plain("api-key", *words, "--as", "chris@contoso.com")
    assert said.code == 2
    assert "an operator can" in one_line_of(said)
