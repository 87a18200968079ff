"""The life-cycle run as operators type it: of one organization or of all, in several processes, killed and repeated."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from adapters.cli import advance_crew
from adapters.cli.advance_crew import KILLED, Crew
from adapters.cli.call import OPERATOR_ID
from adapters.postgres.migrate import migrate
from adapters.settings import Settings
from domain.organization import organization_id_of
from services.advance import Advance
from services.command import Actor
from tests.adapters.cli.conftest import Console, can_pay, contoso, one_line_of
from tests.adapters.cli.test_failures import environment

pytestmark = pytest.mark.enable_socket

NEXT_MONTH = (datetime.now(UTC) + timedelta(days=32)).date().isoformat()
ADVANCE = Advance(actor=Actor(id=OPERATOR_ID, role="operator"), as_of=datetime.now(UTC) + timedelta(days=32))


@pytest.fixture
def house(postgres: object, tmp_path_factory: pytest.TempPathFactory) -> Console:
    """An operator of a database of this test's own: a run over all organizations meets only these."""
    name = f"advance_{os.urandom(4).hex()}"
    server: str = postgres.url  # type: ignore[attr-defined]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    url = make_conninfo(server, dbname=name)
    migrate(url)
    home = tmp_path_factory.mktemp("home")
    console = Console(
        Settings(database_url=SecretStr(url), fingerprint_key=SecretStr("5a" * 32), home=home), None, "operator"
    )
    console.done("catalog", "import")
    return console


def simulation(operator: Console) -> Console:
    """Ben of a simulated Contoso, with a card, a profile and 100 licenses."""
    ben = contoso(Console(operator.settings), "--simulation").as_("ben@contoso.com")
    can_pay(ben)
    ben.done("buy", "Power BI Pro", "--licenses", "100")
    return ben


def invoices_of(ben: Console) -> list[str]:
    return [one["reason"] for one in ben.done("invoice", "list")["invoices"]]


def test_a_simulated_organization_is_renewed_at_its_own_time(operator: Console) -> None:
    ben = simulation(operator)
    operator = ben.as_("operator")
    listed = operator.done("advance", "--as-of", NEXT_MONTH, "--dry-run")
    assert [one["organization"] for one in listed["due"]] == [ben.handle]
    assert invoices_of(ben) == ["purchase"]
    done = operator.done("advance", "--as-of", NEXT_MONTH)
    assert (done["profiles"], done["rounds"], done["payments"]) == (1, 1, 0)
    assert invoices_of(ben) == ["renewal", "purchase"]
    again = operator.done("advance", "--as-of", NEXT_MONTH)
    assert again["rounds"] == 0
    assert "1 organization" in operator.said("advance", "--as-of", NEXT_MONTH).out


def test_real_organizations_live_at_the_clock(ben: Console, bought: str) -> None:
    del bought
    operator = ben.as_("operator")
    assert operator("advance", "--as-of", NEXT_MONTH).refused == "as_of_in_the_future"
    assert operator.done("advance")["rounds"] == 0


def test_one_real_organization_that_is_due_keeps_all_from_the_future(house: Console) -> None:
    ben, real = simulation(house), contoso(Console(house.settings)).as_("ben@contoso.com")
    can_pay(real)
    real.done("buy", "Power BI Pro", "--licenses", "1")
    assert house("advance", "--as-of", NEXT_MONTH).refused == "as_of_in_the_future"
    assert invoices_of(ben) == ["purchase"]
    assert house.done("advance")["failed"] == 0


def test_a_run_in_several_processes_bills_every_organization_once(house: Console) -> None:
    bens = [simulation(house) for _ in range(3)]
    said = house("advance", "--as-of", NEXT_MONTH, "--workers", "2")
    assert said.code == 0, said
    assert said.err.count("started") == 2
    assert (said.data["profiles"], said.data["rounds"]) == (3, 3)
    assert [invoices_of(ben) for ben in bens] == [["renewal", "purchase"]] * 3
    assert house.done("advance", "--as-of", NEXT_MONTH, "--workers", "2")["rounds"] == 0


def test_two_runs_at_once_bill_every_organization_once(house: Console) -> None:
    bens = [simulation(house) for _ in range(2)]
    command = [sys.executable, "-m", "adapters.cli.app", "advance", "--as-of", NEXT_MONTH, "--json"]
    runs = [
        subprocess.Popen(command, env=dict(environment(house.settings)), stdout=subprocess.PIPE, cwd="/", text=True)
        for _ in range(2)
    ]
    answers = [json.loads(run.communicate()[0]) for run in runs]
    assert [one.get("error") for one in answers] == [None, None]
    assert sum(one["rounds"] for one in answers) == 2
    assert [invoices_of(ben) for ben in bens] == [["renewal", "purchase"]] * 2


def test_a_child_that_is_killed_is_told_of_and_the_next_run_completes_its_work(house: Console) -> None:
    bens = [simulation(house) for _ in range(2)]
    ids: list[UUID] = [organization_id_of(str(ben.handle)) for ben in bens]
    killed = Crew(house.settings, ADVANCE, lambda *_: None, lambda pid: os.kill(pid, signal.SIGKILL)).run(ids, 1)
    assert [(one.organization_id, one.failure) for one in killed] == [(one, KILLED) for one in ids]
    half = Crew(house.settings, ADVANCE, lambda *_: None, KillTheFirst()).run(ids, 2)
    assert sorted(one.failure is None for one in half) == [False, True]
    done = house.done("advance", "--as-of", NEXT_MONTH)
    assert done["failed"] == 0
    assert [invoices_of(ben) for ben in bens] == [["renewal", "purchase"]] * 2


def test_a_child_that_is_killed_as_it_tells_of_progress_has_billed_nobody_twice(house: Console) -> None:
    ben = simulation(house)
    pids: list[int] = []
    crew = Crew(house.settings, ADVANCE, lambda *_: os.kill(pids[0], signal.SIGKILL), pids.append)
    (outcome,) = crew.run([organization_id_of(str(ben.handle))], 1)
    assert outcome.failure is None or outcome.failure == KILLED  # it may have told of its end before
    assert house.done("advance", "--as-of", NEXT_MONTH)["failed"] == 0
    assert invoices_of(ben) == ["renewal", "purchase"]
    settled = house.plain("invoice", "reconcile", "--from", "2020-01-01", "--to", "2999-01-01", "--json").data
    assert (settled["settled"], settled["differences"]) == (2, [])


class KillTheFirst:
    """Of the processes that are started."""

    def __init__(self) -> None:
        self.killed = 0

    def __call__(self, pid: int) -> None:
        if not self.killed:
            self.killed = pid
            os.kill(pid, signal.SIGKILL)


def test_what_fails_for_one_organization_is_told_and_the_others_are_done(
    house: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    bens = [simulation(house) for _ in range(2)]
    unlucky = organization_id_of(str(bens[0].handle))
    real = advance_crew.advance_one

    def advance_one(house: object, command: Advance, organization_id: UUID, told: object) -> object:
        if organization_id == unlucky:
            raise OSError(5, "the disk is gone")
        return real(house, command, organization_id, told)  # type: ignore[arg-type]

    monkeypatch.setattr(advance_crew, "advance_one", advance_one)
    said = house("advance", "--as-of", NEXT_MONTH)
    assert said.code == 1
    assert "the disk is gone" in one_line_of(said)
    assert [one["error"] is None for one in said.data["organizations"]].count(False) == 1
    assert invoices_of(bens[1]) == ["renewal", "purchase"]
    monkeypatch.undo()
    assert house.done("advance", "--as-of", NEXT_MONTH)["rounds"] == 1


def test_a_renewal_that_is_declined_is_good_again_with_another_card(operator: Console) -> None:
    ben = simulation(operator)
    card = ben.done("payment-method", "add", "tok_declined_insufficient_funds")["payment_method_id"]
    ben.done("billing-profile", "replace-card", card)
    ben.as_("operator").done("advance", "--as-of", NEXT_MONTH)
    (invoice,) = ben.done("invoice", "list", "--state", "past_due")["invoices"]
    edited = ben("payment-method", "edit", card, "--holder", "Ben Andrews")
    assert [one["number"] for one in edited.data["past_due"]] == [invoice["number"]]
    assert ben("invoice", "pay", invoice["number"]).refused == "payment_declined"
    other = ben.done("payment-method", "add", "tok_mastercard")["payment_method_id"]
    said = ben.said("invoice", "pay", invoice["number"], "--card", other)
    assert f"invoice {invoice['number']} is paid; due: 0.00 USD" in said.out
    assert "charged 1,400.00 USD to Mastercard ending in 4444" in said.out
