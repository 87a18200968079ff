"""How a sealer goes on: after a restore, a fork, the loss of its folder, with a new key; and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from adapters.postgres.seal_session import SealSession
from adapters.postgres.tree import TreeReads
from adapters.proof.notes import COSIGNATURE, ED25519, VerifyingKey, open_note
from adapters.proof.seal_folder import SealFolder, SealFolderUnfit
from adapters.proof.sealed_anew import NotAccepted, accept_fork, resume, what_is_left
from adapters.proof.sealer import ForkNotAccepted, Pace, StateLost, TreeDiffers, TreeRolledBack
from adapters.proof.trust import Trust
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.owner import back_up, fork, restore
from tests.adapters.proof.sealing import a_sealer, events_of, folder_at, sealed, utc_now

ALL_AT_ONCE = Pace(reread_s=1e-6)


# A database that went back.


def test_an_older_copy_is_not_sealed_and_the_fork_says_what_was_lost(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    for _ in range(3):
        events_of(ledger, 100)
        sealed(url, folder)
    events_of(ledger, 7)
    back_up(admin)
    for _ in range(2):
        events_of(ledger, 100)
        sealed(url, folder)
    lost = folder.last()
    restore(admin)
    with pytest.raises(TreeRolledBack, match="507 leaves were signed for, and the database has 300"):
        sealed(url, folder)
    events_of(ledger, 400)  # it goes on, unsealed
    with pytest.raises(TreeRolledBack):
        sealed(url, folder)
    fork(admin)
    with pytest.raises(ForkNotAccepted, match="accept-fork"):
        sealed(url, folder)
    with SealSession(url) as sealing, a_sealer(url, folder) as sealer:
        found = what_is_left(sealing, folder)
        assert found.left is not None
        assert (found.left.size, found.lost, found.last.size) == (300, [407, 507], 507)
        _, step = accept_fork(sealing, folder, sealer)
        assert step.size == 707
    with a_sealer(url, folder, ALL_AT_ONCE) as sealer:
        events_of(ledger, 10)
        assert sealer.step().size == 717
    with SealSession(url) as sealing, pytest.raises(NotAccepted, match="no fork"):
        what_is_left(sealing, folder)
    with TreeReads(url) as tree:
        old, new = f"{tree.origin().rpartition('/')[0]}/1", tree.origin()
        assert [one.size for one in tree.checkpoints(new)] == [300, 707, 717]
        assert [one.size for one in tree.checkpoints(old)] == [100, 200, 300]
        assert [one.size for one in folder.published(old)] == [100, 200, 300, 407, 507]
    assert lost is not None
    with pytest.raises(NotAccepted), SealSession(url) as sealing:
        resume(sealing, folder, lost.note, utc_now())
    restore(admin)
    fork(admin, 2)
    with SealSession(url) as sealing:
        found = what_is_left(sealing, folder)
        assert found.left is not None
        assert (found.left.size, found.lost) == (300, [707, 717])  # what the first fork lost was never of this tree


def test_a_copy_from_before_an_earlier_fork_is_what_was_signed_then(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 100)
    sealed(url, folder)
    back_up(admin)
    events_of(ledger, 100)
    sealed(url, folder)
    fork(admin)
    with SealSession(url) as sealing, a_sealer(url, folder) as sealer:
        accept_fork(sealing, folder, sealer)
    events_of(ledger, 100)
    sealed(url, folder)
    restore(admin)
    fork(admin, 2)
    with SealSession(url) as sealing:
        found = what_is_left(sealing, folder)
        assert found.left is not None
        assert (found.left.size, found.left.origin[-2:], found.lost) == (100, "/1", [200, 300])
        admin.execute("UPDATE proof.tiles SET hashes = set_byte(hashes, 40, 7)")
        with pytest.raises(TreeDiffers):
            what_is_left(sealing, folder)


def test_a_fork_is_accepted_though_it_dies_behind_the_first_leaves_that_it_adds(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, extend = folder_at(tmp_path), SealSession.extend
    events_of(ledger, 100)
    sealed(url, folder)
    back_up(admin)
    events_of(ledger, 100)
    sealed(url, folder)
    restore(admin)
    events_of(ledger, 150)
    fork(admin)

    def extended(session: SealSession, size: int, at: Sequence[int], hashes: Sequence[bytes], **after: int) -> None:
        extend(session, size, at, hashes, **after)
        raise KeyboardInterrupt

    with monkeypatch.context() as dies, SealSession(url) as sealing, a_sealer(url, folder) as sealer:
        dies.setattr(SealSession, "extend", extended)
        with pytest.raises(KeyboardInterrupt):
            accept_fork(sealing, folder, sealer)
    assert sealed(url, folder).size == 250


def test_a_copy_in_which_more_was_changed_than_lost_is_not_accepted(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    back_up(admin)
    events_of(ledger, 100)
    sealed(url, folder)
    events_of(ledger, 100)
    sealed(url, folder)
    restore(admin)
    events_of(ledger, 150)
    other = folder_at(tmp_path / "another's")  # whoever has the database may seal it by a key of their own
    sealed(url, other)
    fork(admin)
    with SealSession(url) as sealing, pytest.raises(TreeDiffers, match="more was changed than lost"):
        what_is_left(sealing, folder)


def test_a_copy_that_went_on_and_was_sealed_by_others_is_told(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    back_up(admin)
    events_of(ledger, 100)
    sealed(url, folder)
    restore(admin)
    events_of(ledger, 150)
    sealed(url, folder_at(tmp_path / "another's"))
    with pytest.raises(TreeDiffers, match="does not have the root that was signed"):
        sealed(url, folder)


def test_a_name_that_no_fork_explains_is_not_accepted(ledger: Ledger, url: str, admin: Admin, tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 10)
    sealed(url, folder)
    admin.execute("UPDATE ledger.source SET epoch = 5")
    with SealSession(url) as sealing, pytest.raises(NotAccepted, match="records no fork"):
        what_is_left(sealing, folder)
    admin.execute("UPDATE ledger.source SET ledger_id = %s", (UUID(int=7),))
    with SealSession(url) as sealing, pytest.raises(NotAccepted, match="another ledger"):
        what_is_left(sealing, folder)


def test_a_fork_before_anything_was_sealed_leaves_an_empty_tree_to_begin_with(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    back_up(admin)
    events_of(ledger, 10)
    sealed(url, folder)
    restore(admin)
    fork(admin)
    with SealSession(url) as sealing, a_sealer(url, folder) as sealer:
        found, step = accept_fork(sealing, folder, sealer)
        assert (found.left, found.lost, step.size) == (None, [10], 0)
    events_of(ledger, 5)
    assert sealed(url, folder).size == 5


# The folder.


def test_of_each_hour_the_last_checkpoint_stays_as_a_file(ledger: Ledger, url: str, tmp_path: Path) -> None:
    folder, now = folder_at(tmp_path), [datetime(2030, 1, 1, 12, 30, tzinfo=UTC)]
    with a_sealer(url, folder, clock=lambda: now[0]) as sealer:
        for minutes in (0, 10, 10, 20, 1, 60, 1):
            now[0] += timedelta(minutes=minutes)
            events_of(ledger, 10)
            sealer.step()
        assert sealer.last is not None
        origin = sealer.last.checkpoint.origin
    assert [one.size for one in folder.published(origin)] == [30, 50, 70]
    with TreeReads(url) as tree:
        assert [one.size for one in tree.checkpoints()] == [10, 20, 30, 40, 50, 60, 70]


def test_when_nothing_is_new_it_says_so_again_after_a_while(ledger: Ledger, url: str, tmp_path: Path) -> None:
    folder, now = folder_at(tmp_path), [datetime(2030, 1, 1, 12, 30, tzinfo=UTC)]
    events_of(ledger, 10)
    signed = []
    with a_sealer(url, folder, clock=lambda: now[0]) as sealer:
        for minutes in (0, 59, 1, 30, 30):
            now[0] += timedelta(minutes=minutes)
            signed.append(sealer.step().signed)
    assert [one is not None for one in signed] == [True, False, True, False, True]
    with TreeReads(url) as tree:
        (stored,) = tree.checkpoints()
        keys = [key.verifying(COSIGNATURE) for key in folder.keys(tree.origin())]
    assert open_note(stored.note, keys).signed[0].at == int(now[0].timestamp())
    assert stored.sealed_at == now[0]


def test_a_lost_folder_is_not_begun_anew_but_goes_on_from_what_somebody_kept(
    ledger: Ledger, url: str, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path / "folder")
    for _ in range(2):
        events_of(ledger, 10)
        sealed(url, folder)
    with TreeReads(url) as tree:
        older, newest = (one.note for one in tree.checkpoints())
    lost = SealFolder(tmp_path / "new")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "key").write_text((tmp_path / "folder" / "key").read_text())
    with pytest.raises(StateLost, match="seal resume"):
        sealed(url, lost)
    with SealSession(url) as sealing:
        with pytest.raises(NotAccepted, match="one of 20 is known"):
            resume(sealing, lost, older, utc_now())
        with pytest.raises(SealFolderUnfit):
            resume(sealing, lost, newest.replace("\n20\n", "\n30\n"), utc_now())
        assert resume(sealing, lost, newest, utc_now()).checkpoint.size == 20
    events_of(ledger, 10)
    assert sealed(url, lost).size == 30


def test_a_lost_key_is_replaced_by_what_somebody_kept_and_the_old_public_key(
    ledger: Ledger, url: str, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    for _ in range(2):
        events_of(ledger, 10)
        sealed(url, folder)
    with TreeReads(url) as tree:
        origin, (older, newest) = tree.origin(), [one.note for one in tree.checkpoints()]
    old = folder.keys(origin)[0].verifying()
    (tmp_path / "key").unlink()
    folder.make_key()
    new = folder.keys(origin)[0].verifying()
    with pytest.raises(SealFolderUnfit):
        sealed(url, folder)
    with SealSession(url) as sealing:
        for wrong in (None, new, VerifyingKey(f"{origin}1", ED25519, old.public)):
            with pytest.raises(SealFolderUnfit):
                resume(sealing, folder, newest, utc_now(), wrong)
        with pytest.raises(NotAccepted, match="one of 20 is known"):
            resume(sealing, folder, older, utc_now(), old)
        kept = resume(sealing, folder, newest, utc_now(), old).checkpoint
    last = folder.last()
    assert last
    assert Trust.of([new]).opened(last.note).checkpoint == kept == Trust.of([old]).opened(newest).checkpoint
    events_of(ledger, 10)
    assert sealed(url, folder).size == 30


@pytest.mark.parametrize("wrong", ["", "x", "\u2014\n\n", "\x00"])
def test_a_damaged_file_of_what_was_signed_last_is_told(ledger: Ledger, url: str, tmp_path: Path, wrong: str) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 10)
    sealed(url, folder)
    (tmp_path / "last").write_text(wrong)
    with pytest.raises(SealFolderUnfit, match="last is no checkpoint that this key signed"):
        sealed(url, folder)


@pytest.mark.parametrize("wrong", ["", "x", "00" * 31, "00" * 33, "00" * 32 + "\nzz"])
def test_a_key_that_is_none_is_told_without_being_shown(url: str, tmp_path: Path, wrong: str) -> None:
    folder = SealFolder(tmp_path, wrong)
    with pytest.raises(SealFolderUnfit, match="64 hexadecimal digits") as told:
        sealed(url, folder)
    assert len(wrong) < 2 or wrong not in str(told.value)
    with pytest.raises(SealFolderUnfit, match="seal key --new"):
        sealed(url, SealFolder(tmp_path))


def test_a_new_key_signs_beside_the_old_one_until_that_is_taken_out(ledger: Ledger, url: str, tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 10)
    sealed(url, folder)
    folder.make_key()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    events_of(ledger, 10)
    signed = sealed(url, folder).signed
    assert signed is not None
    new, old = folder.keys(signed.checkpoint.origin)
    for key in (new, old):
        assert open_note(signed.note, [key.verifying()]).text == signed.checkpoint.text()
        assert Trust.of([key.verifying()]).opened(signed.note).signed_at is not None
    (tmp_path / "key").write_text((tmp_path / "key").read_text().splitlines()[0])
    assert sealed(url, folder).signed is not None  # at once, for nobody knows what the one before has published
