"""Packs and CSV for auditors, as they are typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from adapters.composition import House
from adapters.proof import verify_pack
from adapters.proof.seal_folder import SealFolder
from tests.adapters.cli.conftest import Console
from tests.adapters.proof.packs import members_of
from tests.adapters.proof.sealing import folder_at, sealed

pytestmark = pytest.mark.enable_socket

AUDITOR = "cynthia@contoso.com"


@pytest.fixture
def seals(operator: Console) -> SealFolder:
    """The sealer's folder, as the settings name it."""
    with House(operator.settings) as house:
        return folder_at(house.seal_folder.path)


@pytest.fixture
def auditor(admin: Console) -> Console:
    admin.done("role", "grant", AUDITOR, "auditor")
    return admin.as_(AUDITOR)


def seal(operator: Console, folder: SealFolder) -> str:
    """Seals everything, and answers the log's key."""
    assert operator.settings.database_url
    while not sealed(operator.settings.database_url.get_secret_value(), folder).drained:
        pass  # a writer of another database may hold it up for a moment
    last = folder.last()
    assert last
    return str(folder.keys(last.checkpoint.origin)[0].verifying())


def test_an_auditor_takes_a_pack_home_and_comes_back_with_what_was_kept(
    auditor: Console, ben: Console, bought: str, seals: SealFolder, tmp_path: Path
) -> None:
    operator = Console(auditor.settings)
    key, pack, kept = seal(operator, seals), tmp_path / "contoso.pack", tmp_path / "kept"
    done = auditor.done("audit", "export", "--out", str(pack))
    assert (done["what"], done["not_sealed"]) == ("organization", 0)
    found = operator.done("audit", "verify-pack", str(pack), "--key", key)
    assert (found["verified"], found["events"], found["organizations"]) == (True, done["events"], 1)
    assert bought.replace("-", "").encode() not in members_of(pack.read_bytes())["manifest.json"]
    kept.write_bytes(members_of(pack.read_bytes())["checkpoint"])

    ben.done("resize", bought, "101")
    assert auditor.done("audit", "export", "--out", str(pack), "--force")["not_sealed"] > 0
    seal(operator, seals)
    again = auditor.done("audit", "export", "--out", str(pack), "--force", "--checkpoint", str(kept))
    assert again["events"] > done["events"]
    found = operator.done("audit", "verify-pack", str(pack), "--key", key, "--checkpoint", str(kept))
    assert found["kept_checkpoints"] == 1


def test_exit_codes_are_those_of_the_verifier(operator: Console, seals: SealFolder, tmp_path: Path) -> None:
    key, pack = seal(operator, seals), tmp_path / "all.pack"
    operator.as_("operator").done("audit", "export", "--out", str(pack))
    assert operator("audit", "verify-pack", str(pack)).code == 4
    pack.write_bytes(pack.read_bytes()[:-1])
    said = operator("audit", "verify-pack", str(pack), "--key", key)
    assert (said.code, said.data["verified"]) == (1, False)
    assert operator("audit", "verify-pack", str(pack), "--key", key[:-1]).code == 2
    assert operator("audit", "verify-pack", str(tmp_path / "none"), "--key", key).code == 3


def test_who_may_export_what(
    auditor: Console, operator: Console, ben: Console, seals: SealFolder, tmp_path: Path
) -> None:
    seal(operator, seals)
    out = ("--out", str(tmp_path / "it"))
    assert ben("audit", "export", *out).refused == "not_allowed"
    assert auditor("audit", "export", "--all", *out).refused == "not_allowed"
    assert auditor("audit", "csv", "--all", *out).refused == "not_allowed"
    assert auditor("audit", "export", "--from", "1", *out).code == 2
    assert auditor.as_("operator").done("audit", "export", "--all", *out)["what"] == "all"
    part = operator.as_("operator").done("audit", "export", "--from", "5", "--to", "9", "--force", *out)
    assert (part["what"], part["events"]) == ("range", 5)
    assert operator.as_("operator")("audit", "export", *out).code == 2, "a file that is there is not overwritten"


def test_the_verifier_is_printed_as_it_is(operator: Console) -> None:
    said = operator.said("audit", "verifier")
    assert said.out == Path(str(verify_pack.__file__)).read_text("utf-8")
    assert operator.done("audit", "verifier")["source"] == said.out


def test_history_as_csv_has_no_names(auditor: Console, ben: Console, bought: str, tmp_path: Path) -> None:
    ben.done("assign", bought, "david@contoso.com")
    out = tmp_path / "csv"
    lines = auditor.done("audit", "csv", "--out", str(out))["lines"]
    tables = {path.stem: list(csv.DictReader(io.StringIO(path.read_text("utf-8")))) for path in out.iterdir()}
    assert {name: len(rows) for name, rows in tables.items()} == lines
    assert [int(row["organization_seq"]) for row in tables["events"]] == list(range(1, lines["events"] + 1))
    [bill] = tables["invoices"]
    assert int(bill["total_minor"]) == int(bill["credited_minor"]) + int(bill["paid_minor"]) + int(bill["due_minor"])
    [movement] = tables["payment_movements"]
    assert (movement["kind"], movement["amount_minor"]) == ("capture", bill["total_minor"])
    [held] = tables["assignments"]
    assert (held["subscription_id"], held["ended_at"]) == (bought, "")
    [assigned] = [row for row in tables["events"] if row["event"] == "LicensePool.LicenseAssigned"]
    assert json.loads(assigned["payload"])["member_id"] == held["member_id"]
    everything = "".join(path.read_text("utf-8") for path in out.iterdir())
    assert "contoso.com" not in everything
    assert "Chris" not in everything
    assert auditor("audit", "csv", "--out", str(out)).code == 2
