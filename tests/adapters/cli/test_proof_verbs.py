"""What auditors do with proofs, as it is typed: prove, check without a database, keep, compare, cosign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.kafka.cloud_event import event_id
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, one_line_of
from tests.adapters.proof.sealing import folder_at, sealed

pytestmark = pytest.mark.enable_socket


class Sealer:
    """Seals the ledger of these tests; `key` is a file with the log's public key, as an auditor was once given it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        assert settings.database_url
        self.url, self.folder, self.key = settings.database_url.get_secret_value(), folder_at(folder), ""

    def seal(self) -> Any:
        while not (step := sealed(self.url, self.folder)).drained:
            pass
        kept = step.signed or self.folder.last()
        assert kept
        self.key = str(self.folder.keys(kept.checkpoint.origin)[0].verifying())
        return kept


@pytest.fixture
def sealer(operator: Console, bought: str) -> Sealer:
    assert bought
    made = Sealer(operator.settings, operator.settings.home / "seal")
    made.seal()
    return made


@pytest.fixture
def auditor(admin: Console) -> Console:
    return admin.as_("operator")


@pytest.fixture
def away(tmp_path: Path) -> Console:
    """Somebody else's computer: no ledger, no settings."""
    return Console(Settings(home=tmp_path / "elsewhere"))


def test_an_event_is_proved_and_the_proof_checked_elsewhere(
    auditor: Console, away: Console, sealer: Sealer, bought: str, tmp_path: Path
) -> None:
    (first, *_) = auditor.done("audit", "history", bought)["history"]
    file, key = tmp_path / "event.tlog-proof", tmp_path / "log.vkey"
    key.write_text(f"{sealer.key}\n")
    done = auditor.done("audit", "prove", str(first["position"]), "--out", str(file))
    assert (done["position"], done["file"]) == (first["position"], str(file))
    proved = away.done("audit", "check-proof", str(file), "--key", str(key))
    assert (proved["proved"], proved["event"]) == ("inclusion", "Subscription.SubscriptionPurchased")
    assert (proved["aggregate_id"], proved["position"]) == (bought, first["position"])
    assert away.said("audit", "check-proof", str(file), "--key", sealer.key).out.startswith("proved: leaf ")
    assert auditor.said("audit", "prove", str(first["position"])).out == file.read_text()  # byte by byte
    assert not (tmp_path / "elsewhere").exists()

    file.write_text(file.read_text().replace("index ", "index 1"))
    said = away("audit", "check-proof", str(file), "--key", sealer.key)
    assert said.refused == "halted"
    other = "x+7ac3bb1f+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    assert away("audit", "check-proof", str(file), "--key", other).code == 2
    assert away("audit", "check-proof", str(file)).code == 2


def test_an_event_is_found_by_its_id_on_the_topic(auditor: Console, sealer: Sealer, bought: str) -> None:
    (first, *_) = auditor.done("audit", "history", bought)["history"]
    with psycopg.connect(sealer.url) as connection:
        row = connection.execute(
            "SELECT organization_id, originator_id, originator_version FROM ledger.events WHERE position = %s",
            (first["position"],),
        ).fetchone()
    assert row
    found = event_id(row[0], f"event:{row[1]}:{row[2]}".encode()).decode()
    assert auditor.done("audit", "prove", found)["position"] == first["position"]
    assert auditor("audit", "prove", bought).refused == "not_found"
    assert auditor("audit", "prove", "the first").code == 2


def test_others_events_and_unsealed_ones_are_not_proved(
    operator: Console, auditor: Console, ben: Console, sealer: Sealer
) -> None:
    unsealed = ben.done("buy", "Power BI Pro", "-n", "1")["position"]
    catalog = Console(operator.settings, "catalog", "operator")
    for position, code in ((str(unsealed), "halted"), ("1", "not_found"), ("999999999", "not_found")):
        assert auditor("audit", "prove", position).refused == code
    assert catalog.done("audit", "prove", "1")["position"] == 1
    assert ben("audit", "prove", str(unsealed)).refused == "not_allowed"
    sealer.seal()
    assert auditor.done("audit", "prove", str(unsealed))["position"] == unsealed


def test_a_kept_checkpoint_is_what_the_tree_begins_with(
    auditor: Console, away: Console, ben: Console, sealer: Sealer, tmp_path: Path
) -> None:
    kept, grown = tmp_path / "kept", tmp_path / "grown"
    earlier = auditor.done("audit", "checkpoint", "--out", str(kept))["size"]
    assert auditor.said("audit", "checkpoint", "--size", str(earlier)).out == kept.read_text()
    assert auditor("audit", "checkpoint", "--size", "999999").refused == "not_found"
    ben.done("buy", "Power BI Pro", "-n", "2")
    later = sealer.seal().checkpoint.size
    for old in (str(kept), str(earlier)):
        done = auditor.done("audit", "consistency", old, "--key", sealer.key, "--out", str(grown), "--force")
        assert (done["earlier"], done["size"]) == (earlier, later)
    said = away.done("audit", "check-proof", str(grown), "--earlier", str(kept), "--key", sealer.key)
    assert (said["proved"], said["later"]["size"]) == ("consistency", later)
    assert away("audit", "check-proof", str(grown), "--key", sealer.key).code == 2
    kept.write_text(kept.read_text().replace(f"\n{earlier}\n", f"\n{earlier - 1}\n"))
    assert "does not begin with" in one_line_of(auditor("audit", "consistency", str(kept)))
    assert auditor("audit", "consistency", str(kept), "--key", sealer.key).refused == "halted"
    assert auditor("audit", "consistency", "1", "newest").code == 2


def test_a_witness_cosigns_what_grows(
    auditor: Console, away: Console, ben: Console, sealer: Sealer, tmp_path: Path
) -> None:
    key, state, kept, out = (tmp_path / name for name in ("key", "state", "kept", "out"))
    public = away.done("audit", "witness-key", "auditor.example/ana", "--out", str(key))["key"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert away("audit", "witness-key", "auditor.example/ana", "--out", str(key)).code == 2
    own = ("--key-file", str(key), "--state", str(state), "--log-key", sealer.key)
    auditor.done("audit", "checkpoint", "--out", str(kept))
    assert away("audit", "witness", *own, "--from", str(kept)).refused == "halted"
    first = away.done("audit", "witness", *own, "--from", str(kept), "--first", "--out", str(out))
    assert (first["before"], out.read_text()) == (None, state.read_text())

    ben.done("buy", "Power BI Pro", "-n", "2")
    sealer.seal()
    from_database = Console(auditor.settings).plain("audit", "witness", *own)
    assert (from_database.code, from_database.out) == (0, state.read_text())
    trusted = ("--key", sealer.key, "--key", public, "--require", "1")
    proof = tmp_path / "proof"
    auditor.done("audit", "consistency", str(first["checkpoint"]["size"]), "--out", str(proof))
    assert away("audit", "check-proof", str(proof), "--earlier", str(out), *trusted).refused == "halted"
    head = proof.read_text().partition("\n\n")[0]
    proof.write_text(f"{head}\n\n{state.read_text()}")  # the same checkpoint, cosigned
    said = away.done("audit", "check-proof", str(proof), "--earlier", str(out), *trusted)
    assert list(said["later"]["witnesses"]) == ["auditor.example/ana"]

    refused = away("audit", "witness", *own, "--from", str(kept))
    assert refused.refused == "halted"
    assert "does not show that it grew from what was cosigned" in refused.err


@pytest.fixture
def owner(sealer: Sealer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(sealer.url, autocommit=True) as connection:
        yield connection


def test_the_audit_compares_with_what_is_kept(
    operator: Console, admin: Console, sealer: Sealer, owner: psycopg.Connection[Any], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    admin.as_("operator").done("audit", "checkpoint", "--out", str(kept))
    by_key = ("audit", "verify", "--no-topic", "--checkpoint", str(kept), "--key", sealer.key)
    verified = operator.done(*by_key)
    assert verified["tree"]["sealed"] == verified["events"]
    assert (verified["checks"]["tree"], verified["checks"]["checkpoints"]) == (0, 0)
    assert "not sealed yet: 0 events" in operator.said("audit", "verify", "--no-topic").out
    assert operator(*by_key[:-2]).code == 2
    with owner.transaction():
        owner.execute("CREATE TABLE public.before AS TABLE proof.tiles")
        owner.execute("DELETE FROM proof.tiles WHERE level = 0 AND number = (SELECT max(number) FROM public.before)")
    try:
        said = operator(*by_key)
    finally:
        owner.execute("INSERT INTO proof.tiles TABLE public.before ON CONFLICT DO NOTHING")
        owner.execute("DROP TABLE public.before")
    assert said.code == 1
    found = [one["what"] for one in said.data["differences"] if one["check"] == "tree"]
    assert any("the end of history, after position" in what for what in found)
