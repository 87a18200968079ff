"""The sealer: dense leaves in the order of position, roots that others compute too, and nothing signed that differs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from adapters.postgres.follower import Follower
from adapters.postgres.tree import NotSealed, TreeReads
from adapters.proof import sealer as sealer_module
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import COSIGNATURE, ED25519, open_note
from domain.envelope import RecordedEvent
from projections.audit.leaf import leaf_of
from projections.audit.merkle import check_consistency, check_inclusion, consistency_proof, inclusion_proof
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.sealing import a_sealer, events_of, folder_at, sealed


def mth(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it, by its own words and without a line of the product."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def leaves_of(url: str) -> list[bytes]:
    with Follower(url) as follower:
        found = []
        while events := follower.poll(10_000):
            found += [leaf_of(event) for event in events]
        return found


def test_it_signs_the_root_that_others_compute_over_the_same_events(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    for more in (1, 2, 300, 255, 513, 1):
        events_of(ledger, more)
        step = sealed(url, folder)
        leaves = leaves_of(url)
        assert step.added == more
        assert step.signed is not None
        assert (step.signed.checkpoint.size, step.signed.checkpoint.root) == (len(leaves), mth(leaves))
        with TreeReads(url) as tree:
            assert tree.size() == len(leaves)
            stored = tree.last_checkpoint()
            assert stored is not None
            assert stored.note == step.signed.note
            keys = [key.verifying(kind) for key in folder.keys(stored.origin) for kind in (ED25519, COSIGNATURE)]
            opened = open_note(stored.note, keys)
            assert Checkpoint.parse(opened.text) == step.signed.checkpoint
            assert [(one.kind, one.at is not None) for one in opened.signed] == [(ED25519, False), (COSIGNATURE, True)]
        assert (tmp_path / "checkpoints" / "latest").read_text() == step.signed.note
    tiles = admin.execute("SELECT level, count(*) FROM proof.tiles GROUP BY level ORDER BY level").fetchall()
    assert tiles == [(0, 5), (1, 1)]


def test_whoever_keeps_a_checkpoint_can_have_everything_proved_from_the_tiles(
    ledger: Ledger, url: str, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    roots = {}
    for more in (3, 700, 1, 400):
        events_of(ledger, more)
        signed = sealed(url, folder).signed
        assert signed is not None
        roots[signed.checkpoint.size] = signed.checkpoint.root
    size = max(roots)
    with TreeReads(url) as tree:
        for index in {0, 1, 2, 255, 256, 511, 512, 702, 703, size - 1}:
            event = tree.event_at(index)
            assert event is not None
            assert tree.index_of(event.position) == index
            proof = inclusion_proof(tree.node, index, size)
            check_inclusion(sha256(b"\x00" + leaf_of(event)).digest(), index, size, proof, roots[size])
        for earlier, root in roots.items():
            check_consistency(earlier, size, consistency_proof(tree.node, earlier, size), root, roots[size])
        assert tree.index_of(2**40) is None
        with pytest.raises(NotSealed):
            tree.position_of(size)
        with pytest.raises(NotSealed):
            tree.node(0, size)


def test_what_is_not_settled_is_not_sealed_and_keeps_its_place(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 10)
    with a_sealer(url, folder) as sealer:
        assert sealer.step().size == 10
        with admin.transaction():
            admin.execute("SELECT pg_current_xact_id(), nextval('ledger.position')")
            events_of(ledger, 5)
            assert sealer.step() == (0, 10, None, 0, True)
        assert sealer.step().size == 15


def test_a_ledger_that_never_stops_is_signed_for_all_the_same(
    ledger: Ledger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = Follower.poll

    def busy(follower: Follower, limit: int = 1000) -> list[RecordedEvent]:
        events_of(ledger, 1)  # whenever one looks, there is something new
        return poll(follower, limit)

    with a_sealer(url, folder_at(tmp_path)) as sealer:
        monkeypatch.setattr(Follower, "poll", busy)
        for _ in range(3):
            step = sealer.step()
            assert (step.added, step.signed is not None, step.drained) == (1, True, True)


def test_a_long_history_is_signed_for_piece_by_piece(
    ledger: Ledger, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer_module, "BATCH", 100)
    monkeypatch.setattr(sealer_module, "MOST", 300)
    events_of(ledger, 700)
    with a_sealer(url, folder_at(tmp_path)) as sealer:
        assert [sealer.step()[:2] for _ in range(3)] == [(300, 300), (300, 600), (100, 700)]
        assert sealer.last is not None
        assert sealer.last.checkpoint.root == mth(leaves_of(url))
