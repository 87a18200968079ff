"""Whoever owns the database changes history, tree or checkpoints: what is named, and what only a kept one shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from adapters.proof.notes import NoteInvalid, SigningKey
from adapters.proof.seal_folder import SealFolder
from adapters.proof.verify_tree import TreeVerified, Trusted, brought, of_sealer
from tests.adapters.proof.sealed_ledger import NOBODY, SealedLedger, a_sealed_ledger

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.enable_socket

AT_200 = "position = (SELECT position FROM ledger.events ORDER BY position OFFSET 200 LIMIT 1)"
# As after a restore of a backup from before the second checkpoint: all of the database agrees with itself.
OLDER = (
    "DELETE FROM ledger.events USING proof.tiles WHERE level = 0 AND number = 0 AND position > positions[120]",
    "DELETE FROM proof.tiles WHERE number > 0 OR level > 0",
    "UPDATE proof.tiles SET hashes = substr(hashes, 1, 3840), positions = positions[1:120]",
    "DELETE FROM proof.checkpoints WHERE size > 120",
)


@pytest.fixture(scope="module")
def ledger(
    postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SealedLedger]:
    with a_sealed_ledger(postgres.url, migrated, "verified", tmp_path_factory.mktemp("verified") / "seal") as made:
        yield made


def test_what_was_not_changed_is_as_it_was_signed(ledger: SealedLedger) -> None:
    assert ledger.found() == ([], TreeVerified(sealed=380, unsealed=20, checkpoints=3, unchecked=0))
    assert ledger.by_key(*ledger.notes) == []
    assert ledger.found(NOBODY) == ([], TreeVerified(380, 20, 3, unchecked=3))
    assert of_sealer(SealFolder(ledger.folder.path / "none")).kept == ()


def test_a_changed_event_is_named(ledger: SealedLedger) -> None:
    first = ledger.position(200)
    with ledger.tampered(f"UPDATE ledger.events SET recorded_at = recorded_at + 1 WHERE {AT_200}"):  # noqa: S608
        (told,) = ledger.told(NOBODY)
    assert told.startswith(f"tree: position {first}: ")
    assert told.endswith("what is stored is not what was sealed as leaf 200")


def test_a_damaged_tree_is_told_from_a_changed_history(ledger: SealedLedger) -> None:
    flip = "hashes = set_byte(hashes, 6401, get_byte(hashes, 6401) # 1)"
    with ledger.tampered(f"UPDATE proof.tiles SET {flip} WHERE level = 0 AND number = 0"):  # noqa: S608
        leaf, tiles = ledger.told(NOBODY)
    assert f"position {ledger.position(200)}" in leaf
    assert "the tree's hash of leaf 200 is damaged" in leaf
    assert "tiles of level 1: subtree 0 does not follow" in tiles


def test_an_older_copy_shows_by_what_is_kept_outside(ledger: SealedLedger) -> None:
    with ledger.tampered(*OLDER):
        assert ledger.told(NOBODY) == ledger.by_key() == ledger.by_key(ledger.notes[0]) == []
        (by_file,), (by_folder,) = ledger.by_key(ledger.notes[1]), ledger.told()
    gone = f"the end of history, after position {ledger.position(119)}, is missing"
    assert by_file == f"tree: checkpoint 250: kept.txt is of 250 leaves, and the tree has 120: {gone}"
    assert "what the sealer signed last" in by_folder
    assert "is of 380 leaves" in by_folder


def test_checkpoints_that_are_gone_show_by_the_key_alone(ledger: SealedLedger) -> None:
    with ledger.tampered("DELETE FROM proof.checkpoints"):
        assert ledger.told(NOBODY) == []
        (told,) = ledger.by_key()
    assert told.endswith("nothing is stored that the key of this log signed")


@pytest.mark.parametrize(
    "change",
    [
        "note = replace(note, E'\\n250\\n', E'\\n251\\n')",
        "note = 'nonsense'",
        "size = 251",
        "origin = origin || '0'",
        "note = (SELECT note FROM proof.checkpoints ORDER BY size LIMIT 1)",
        "note = regexp_replace(note, '— .*', '')",
    ],
)
def test_a_changed_checkpoint_is_named(ledger: SealedLedger, change: str) -> None:
    with ledger.tampered(f"UPDATE proof.checkpoints SET {change} WHERE size = 250"):  # noqa: S608
        (told,) = ledger.told()
    assert told.startswith("checkpoints: checkpoint 25")


def test_a_checkpoint_that_another_key_signed_is_none(ledger: SealedLedger) -> None:
    other = SigningKey.from_seed(ledger.key.name, b"k" * 32).verifying()
    with pytest.raises(NoteInvalid, match="no key that is trusted"):
        brought([other], [("kept.txt", ledger.notes[1])])
    told = ledger.told(brought([other], []))
    assert len([one for one in told if "no key that is trusted here has signed it" in one]) == 3
    assert told[-1].endswith("nothing is stored that the key of this log signed")


def test_what_a_key_signed_that_was_replaced_is_compared_and_counted(ledger: SealedLedger) -> None:
    """Only in the sealer's own eyes: whoever brings keys brings the old one too."""
    replaced = SigningKey.from_seed(ledger.key.name, b"k" * 32).verifying()
    found, verified = ledger.found(Trusted(lambda _: [replaced], (), ()))
    assert (found, verified.unchecked) == ([], 3)
    with ledger.tampered(f"DELETE FROM ledger.events WHERE {AT_200}"):  # noqa: S608
        assert ledger.found(Trusted(lambda _: [replaced], (), ()))[0]


def test_a_kept_checkpoint_needs_a_key(ledger: SealedLedger) -> None:
    with pytest.raises(NoteInvalid, match="name the key of the log"):
        brought([], [("kept.txt", ledger.notes[1])])
