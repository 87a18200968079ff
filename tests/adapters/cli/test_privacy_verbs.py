"""Forgetting, exporting and reading under a grant, as it is typed."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.adapters.cli.conftest import PURCHASER, Console, can_pay

pytestmark = pytest.mark.enable_socket

DAVID, CYNTHIA = "david@contoso.com", "cynthia@contoso.com"


@pytest.fixture
def auditor(admin: Console) -> Console:
    admin.done("role", "grant", CYNTHIA, "auditor")
    return admin.as_(CYNTHIA)


def member_id(admin: Console, user_name: str) -> str:
    (found,) = [one for one in admin.done("member", "list")["members"] if one["user_name"] == user_name]
    return str(found["member_id"])


def test_a_person_is_forgotten_by_name_and_then_known_by_id_alone(admin: Console) -> None:
    david = member_id(admin, DAVID)
    assert admin("privacy", "erase", DAVID, "--reason", "objected").refused == "member_still_active"
    admin.done("member", "remove", DAVID)
    words = ("privacy", "erase", DAVID, "--reason", "objected")
    command = ("--command-id", str(uuid4()))
    first = admin.done(*words, *command)
    assert first["member_id"] == david
    assert first["erased"] >= 2
    assert first["vacuumed"] is True
    assert admin(*words).refused == "not_found"  # nobody has the name
    assert admin.done("privacy", "erase", david, *words[3:], *command)["position"] == first["position"]
    for words_of_replay in (("audit", "show", david, "--at", str(10**15)), ("audit", "history", david)):
        replayed = admin.as_("operator")(*words_of_replay)
        assert (replayed.code, "[erased]" in replayed.out) == (0, True)
    again = admin.said("privacy", "erase", david, *words[3:])
    assert (again.code, "(it was so already)" in again.out) == (0, True)
    assert DAVID not in json.dumps(admin.done("member", "list"))


def test_where_the_purchaser_was_named_it_says_erased(admin: Console, ben: Console, bought: str) -> None:
    ben.done("cancel", bought, "--when", "now", "--reason", "other")
    admin.done("member", "remove", PURCHASER)
    assert PURCHASER in admin.said("purchases", "show", bought).out
    admin.done("privacy", "erase", PURCHASER, "--reason", "asked_by_subject")
    for words in (("purchases", "show", bought), ("purchases", "list")):
        said = admin.said(*words)
        assert "[erased]" in said.out, words
        assert "Ben" not in said.out, words


def test_a_reason_is_a_code(admin: Console) -> None:
    admin.done("member", "remove", DAVID)
    assert admin("privacy", "erase", DAVID, "--reason", "he wrote to us").code == 2


def test_an_export_is_a_file_from_which_values_can_be_disclosed(
    admin: Console, auditor: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "david.json"
    assert admin.done("privacy", "export", DAVID, "--to", str(file))["facts"] >= 2
    assert admin("privacy", "export", DAVID, "--to", str(file)).code == 2  # it is there
    (fact,) = [one for one in json.loads(file.read_text())["facts"] if one["purpose"] == "user_name"]
    admin.done("member", "remove", DAVID)
    admin.done("privacy", "erase", DAVID, "--reason", "objected")
    value = tmp_path / "value"
    value.write_text(fact["value"])
    words = ("audit", "disclose", "--fact", fact["fact_id"], "--salt", fact["salt"], "--value-file")
    assert auditor.done(*words, str(value))["matches"] is True
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"somebody.else@contoso.com")))
    said = auditor(*words, "-")
    assert (said.code, said.data["matches"]) == (1, False)


def test_members_export_themselves(admin: Console) -> None:
    david = admin.as_(DAVID)
    assert {one["purpose"] for one in david.done("privacy", "export", DAVID)["facts"]} >= {"user_name"}
    assert david("privacy", "export", CYNTHIA).refused == "not_found"


def test_an_auditor_reads_names_under_a_grant_alone(admin: Console, auditor: Console, bought: str) -> None:
    assert PURCHASER not in auditor.said("purchases", "show", bought, "--role", "auditor").out
    ben = member_id(admin, PURCHASER)
    assert {one["value"] for one in auditor.done("audit", "facts", ben)["facts"]} == {"[withheld]"}
    grant = ("audit", "grant", CYNTHIA, "--purpose", "tax_audit", "--until")
    assert admin(*grant, "2020-01-01").refused == "access_period_unusable"
    grant_id = admin.done(*grant, (datetime.now(UTC) + timedelta(days=30)).date().isoformat())["grant_id"]
    assert PURCHASER in auditor.said("purchases", "show", bought, "--role", "auditor").out
    assert PURCHASER in {one["value"] for one in auditor.done("audit", "facts", ben)["facts"]}
    assert [one["open"] for one in auditor.done("audit", "grants")["grants"]] == [True]
    admin.done("audit", "revoke", CYNTHIA, grant_id)
    assert PURCHASER not in auditor.said("purchases", "show", bought, "--role", "auditor").out
    assert [one["open"] for one in admin.done("audit", "grants")["grants"]] == [False]


@pytest.mark.parametrize("role", ["auditor", "purchaser"])
def test_a_refusal_names_nobody_who_was_not_named(admin: Console, auditor: Console, role: str) -> None:
    """What is unknown is told by the id that was asked for, whoever has it."""
    said = auditor("invoice", "show", member_id(admin, DAVID), "--role", role)
    assert said.code == 1
    assert DAVID not in said.out + said.err


@pytest.mark.usefixtures("bought")
def test_an_auditor_who_buys_is_told_no_names_either(auditor: Console) -> None:
    assert auditor("member", "list", "--role", "purchaser").refused == "not_allowed"
    can_pay(auditor)
    own = str(auditor.done("buy", "Power BI Pro", "--licenses", "2")["subscription_id"])
    auditor.done("assign", own, DAVID)
    said = auditor.said("purchases", "show", own, "--role", "purchaser").out
    assert CYNTHIA in said
    assert DAVID not in said
    assert auditor("purchases", "list", "--purchaser", PURCHASER, "--role", "auditor").refused == "not_found"


def test_a_database_of_before_is_brought_to_the_list_by_every_start(admin: Console) -> None:
    url = admin.settings.database_url
    assert url
    admin.done("member", "remove", DAVID)
    with psycopg.connect(url.get_secret_value(), autocommit=True) as owner:
        facts = owner.execute("SELECT * FROM ledger.personal_facts WHERE value LIKE 'david%'").fetchall()
        before = owner.execute("SELECT line, hash FROM ledger.erasure_list").fetchall()[0]
        admin.done("privacy", "erase", DAVID, "--reason", "objected")
        for fact in facts:
            owner.execute(
                "INSERT INTO ledger.personal_facts VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING", fact
            )
        owner.execute("UPDATE ledger.erasure_list SET line = %s, hash = %s", before)
    assert DAVID not in json.dumps(admin.done("member", "list", "--name", "david"))
    replayed = admin.as_("operator").plain("privacy", "replay", "--json")
    assert (replayed.code, replayed.data["facts"]) == (0, 0)
    assert admin.settings.erasures.exists()
