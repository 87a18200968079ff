"""Packs of a real ledger: as of one moment, nothing but what was signed, and whole or not there."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.cli.failure import BadInput
from adapters.cli.growing_file import growing_file
from adapters.postgres.pack_reads import PackReads
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.proof import verify_pack
from adapters.proof.export_pack import Asked, Exported, Maker, NotAsSealed, NothingSealed, export_pack
from adapters.proof.seal_folder import SealFolder
from adapters.proof.sealer import Step
from domain.envelope import RecordedEvent
from projections.audit.leaf import leaf_of
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.packs import items_of, members_of, packed
from tests.adapters.proof.sealing import events_of, folder_at
from tests.adapters.proof.sealing import sealed as sealed_a_step

pytestmark = pytest.mark.enable_socket

MAKER = Maker("seatledger of the tests")
KILLS = 10


@pytest.fixture
def folder(tmp_path: Path) -> SealFolder:
    return folder_at(tmp_path / "seal")


def sealed(url: str, folder: SealFolder) -> Step:
    """The last step, after which nothing is left to seal: a writer of another database may hold it up for a moment."""
    while not (step := sealed_a_step(url, folder)).drained:
        pass
    return step


def export(
    url: str, asked: Asked, begun: Callable[[int], Callable[[int], None]] | None = None
) -> tuple[bytes, Exported]:
    file = io.BytesIO()
    with PackReads(url) as reads:
        done = export_pack(reads, asked, file, MAKER, begun or (lambda _: lambda _: None))
    return file.getvalue(), done


def verified(pack: bytes, folder: SealFolder, *kept: str) -> verify_pack.Verified:
    last = folder.last()
    assert last
    keys = [verify_pack.key_of(str(key.verifying())) for key in folder.keys(last.checkpoint.origin)]
    return verify_pack.verify(io.BytesIO(pack), keys=keys, kept=[("kept", note.encode()) for note in kept])


def leaves_in(pack: bytes) -> list[bytes]:
    return [item[5:] for item in items_of(members_of(pack)["entries"]) if item[0] == 0]


def stored(admin: Admin, where: str = "true") -> list[bytes]:
    rows = admin.execute(f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE {where} ORDER BY position".encode())  # noqa: S608
    return [leaf_of(RecordedEvent(*row)) for row in rows]


def test_everything_a_range_and_each_organization(url: str, admin: Admin, ledger: Ledger, folder: SealFolder) -> None:
    with pytest.raises(NothingSealed):
        export(url, Asked())
    organizations = events_of(ledger, 700)
    admin.execute("SELECT setval('ledger.position', 2000)")  # positions have gaps, leaves have none
    events_of(ledger, 300)
    sealed(url, folder)
    whole, done = export(url, Asked())
    assert (done.events, done.not_sealed) == (1_000, 0)
    assert verified(whole, folder).ledger.events == 1_000
    assert leaves_in(whole) == stored(admin)
    for first, last in ((1, 1), (5, 600), (650, 2_100), (700, 5_000), (1, 1 << 62)):
        part, _ = export(url, Asked(first=first, last=last))
        assert verified(part, folder)
        assert leaves_in(part) == stored(admin, f"position BETWEEN {first} AND {last}")
    with pytest.raises(NothingSealed):
        export(url, Asked(first=701, last=2_000))
    for organization_id in organizations:
        part, _ = export(url, Asked(organization_id=organization_id))
        assert verified(part, folder).ledger.chains.keys() == {organization_id.bytes}
        assert leaves_in(part) == stored(admin, f"organization_id = '{organization_id}'")


def test_an_auditor_comes_back_next_year(url: str, ledger: Ledger, folder: SealFolder) -> None:
    organization_id = events_of(ledger, 300)[0]
    sealed(url, folder)
    kept = members_of(export(url, Asked())[0])["checkpoint"].decode()
    events_of(ledger, 150)
    assert export(url, Asked())[1].not_sealed == 150
    sealed(url, folder)
    whole, done = export(url, Asked())
    assert (done.events, verified(whole, folder, kept).kept) == (450, 1)
    part, _ = export(url, Asked(organization_id=organization_id, cuts=(300,)))
    assert verified(part, folder, kept).kept == 1


def test_a_checkpoint_of_each_day_goes_with_it(url: str, admin: Admin, ledger: Ledger, folder: SealFolder) -> None:
    for days in (3, 2, 2, 0):
        events_of(ledger, 20)
        sealed(url, folder)
        admin.execute(
            "UPDATE proof.checkpoints SET sealed_at = now() - make_interval(days => %s)"
            " WHERE size = (SELECT max(size) FROM proof.checkpoints)",
            (days,),
        )
    pack, done = export(url, Asked())
    assert done.checkpoints == verified(pack, folder).earlier == 2
    assert members_of(pack)["checkpoints"].count(b"\n60\n") == 1
    assert members_of(pack)["checkpoints"].count(b"\n40\n") == 0


def test_what_is_recorded_and_sealed_meanwhile_does_not_show(url: str, ledger: Ledger, folder: SealFolder) -> None:
    events_of(ledger, 100)
    sealed(url, folder)

    def begun(events: int) -> Callable[[int], None]:
        assert events == 100
        events_of(ledger, 50)
        assert sealed(url, folder).size == 150
        return lambda _: None

    pack, done = export(url, Asked(), begun)
    assert (done.events, done.not_sealed) == (100, 0)
    assert verified(pack, folder).checkpoint.size == 100


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger.events SET state = state || ' ' WHERE position = 50",
        "DELETE FROM ledger.events WHERE position = 50",
        "UPDATE ledger.events SET position = 1000 WHERE position = 50",
        "UPDATE ledger.events SET organization_id = gen_random_uuid() WHERE position = 50",
        "UPDATE proof.tiles SET hashes = set_byte(hashes, 1600, 255 - get_byte(hashes, 1600)) WHERE level = 0",
        "UPDATE proof.checkpoints SET note = replace(note, E'\\n100\\n', E'\\n99\\n')",
    ],
)
def test_what_is_not_as_it_was_signed_gives_no_pack(
    url: str, admin: Admin, ledger: Ledger, folder: SealFolder, change: str
) -> None:
    events_of(ledger, 100)
    sealed(url, folder)
    position_50 = admin.execute("SELECT organization_id FROM ledger.events WHERE position = 50").fetchone()
    assert position_50
    admin.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
    assert admin.execute(change.encode()).rowcount == 1
    of_it = position_50[0]
    other = admin.execute("SELECT organization_id FROM ledger.events WHERE organization_id <> %s", (of_it,)).fetchone()
    assert other
    in_tree = "proof" in change
    for asked in (Asked(organization_id=other[0] if in_tree else of_it), *([] if "tiles" in change else [Asked()])):
        with pytest.raises(NotAsSealed):
            export(url, asked)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proof.tiles SET positions[50] = NULL WHERE level = 0",
        "UPDATE proof.tiles SET positions[100] = NULL WHERE level = 0",
        "UPDATE proof.tiles SET hashes = substring(hashes FOR 1600), positions = positions[1:50] WHERE level = 0",
        "UPDATE proof.checkpoints SET note = 'x'",
        "DELETE FROM proof.tiles",
    ],
)
def test_a_damaged_tree_or_checkpoint_gives_no_pack(
    url: str, admin: Admin, ledger: Ledger, folder: SealFolder, change: str
) -> None:
    of_it = events_of(ledger, 100)[0]
    sealed(url, folder)
    admin.execute(change.encode())
    of_one = [] if "[50]" in change else [Asked(organization_id=of_it)]  # whose event it is is not known
    for asked in (*of_one, Asked(first=20, last=60)):
        with pytest.raises((NotAsSealed, NothingSealed)):  # where its leaves are gone, nothing is sealed
            export(url, asked)


def test_an_organization_that_is_not_behind_the_wall_is_not_exported(
    url: str, ledger: Ledger, folder: SealFolder
) -> None:
    own, other = events_of(ledger, 200)[:2]
    sealed(url, folder)
    with PackReads(url, role="seatledger_api", visible=str(own)) as reads:
        file = io.BytesIO()
        assert export_pack(reads, Asked(organization_id=own), file, MAKER).events > 0
        with pytest.raises(NothingSealed):
            export_pack(reads, Asked(organization_id=other), io.BytesIO(), MAKER)
    assert verified(file.getvalue(), folder)


# Files.


def slowly(url: str, path: Path, begun: Path) -> None:
    """Exports to a file, with a pause in front of each write; for a process of its own."""

    def paused(_: int) -> None:
        begun.touch()
        time.sleep(0.06)

    with growing_file(path, force=True) as file, PackReads(url) as reads:
        export_pack(reads, Asked(), file, MAKER, lambda _: paused)


def test_an_exporter_that_is_killed_leaves_nothing_under_the_name(
    url: str, ledger: Ledger, folder: SealFolder, tmp_path: Path
) -> None:
    events_of(ledger, 4_000)
    sealed(url, folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "adapters.proof.export_pack", "adapters.cli.growing_file"])
    path, begun, killed = tmp_path / "all.pack", tmp_path / "begun", 0
    while killed < KILLS:
        begun.unlink(missing_ok=True)
        exporter = context.Process(target=slowly, args=(url, path, begun))
        exporter.start()
        while not begun.exists():
            assert exporter.is_alive()
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.35))  # noqa: S311 - any moment
        assert exporter.pid
        os.kill(exporter.pid, signal.SIGKILL)
        exporter.join()
        killed += exporter.exitcode == -signal.SIGKILL
        if path.exists():
            assert verified(path.read_bytes(), folder).ledger.events == 4_000
            path.unlink()
    slowly(url, path, begun)
    assert verified(path.read_bytes(), folder).ledger.events == 4_000
    assert not path.with_name("all.pack.partial").exists()


def test_a_file_that_is_there_or_being_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.pack"
    with growing_file(path, force=False) as file:
        file.write(b"whole")
        assert not path.exists()
        with pytest.raises(BadInput, match="another process is writing"), growing_file(path, force=True):
            pass
    assert path.read_bytes() == b"whole"
    with pytest.raises(BadInput, match="--force"), growing_file(path, force=False):
        pass
    with pytest.raises(ZeroDivisionError), growing_file(path, force=True) as file:
        file.write(b"half" if 1 / 0 else b"")
    assert [one.name for one in tmp_path.iterdir()] == ["all.pack"]
    assert path.read_bytes() == b"whole"


def test_a_pack_is_the_same_bytes_for_the_same_moment(url: str, ledger: Ledger, folder: SealFolder) -> None:
    events_of(ledger, 50)
    sealed(url, folder)
    assert export(url, Asked())[0] == export(url, Asked())[0]
    pack, _ = export(url, Asked())
    assert packed(members_of(pack)) == pack


def test_an_organization_without_events_has_no_pack(url: str, ledger: Ledger, folder: SealFolder) -> None:
    events_of(ledger, 50)
    sealed(url, folder)
    for nobody in (uuid4(), UUID(int=0)):
        with pytest.raises(NothingSealed):
            export(url, Asked(organization_id=nobody))
