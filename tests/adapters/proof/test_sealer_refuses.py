"""What a sealer does not sign for: a history that was changed, a chain that is broken, a tree that another wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.seal_session import SealSession, TreeMoved
from adapters.postgres.session import API, APP, PROJECTOR, SEALER, session
from adapters.postgres.tree import TILE_HASHES, NotSealed, above
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.reread import ChainBroken, EventDiffers
from adapters.proof.seal_folder import Kept
from adapters.proof.sealer import Pace, Sealer, TreeDiffers, TreeRolledBack
from services.ledger import Ledger
from tests.adapters.postgres.conftest import Admin
from tests.adapters.proof.owner import as_owner, positions
from tests.adapters.proof.sealing import a_sealer, events_of, folder_at, sealed, utc_now

if TYPE_CHECKING:
    from adapters.postgres.follower import Follower

ALL_AT_ONCE = Pace(reread_s=1e-6)
COPIED = (
    "INSERT INTO ledger.events SELECT organization_id, '{new}', 1, organization_seq + 1000, {position}, recorded_at,"
    " topic, state, metadata, chain_hash FROM ledger.events ORDER BY position LIMIT 1"
)


# What was changed after it was sealed.


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ledger.events SET state = state || '\\x20' WHERE position = {0}", "not the one that was sealed"),
        ("UPDATE ledger.events SET chain_hash = chain_hash || '\\x20' WHERE position = {0}", "not the one that was"),
        ("UPDATE ledger.events SET recorded_at = recorded_at + 1 WHERE position = {0}", "not the one that was"),
        ("DELETE FROM ledger.events WHERE position = {0}", "not there any more"),
        ("DELETE FROM ledger.events WHERE position >= {0}", "not there any more"),
        (COPIED.replace("{position}", "{0}"), "(put in|not the one that)"),
        (COPIED.replace("{position}", "{0} - 1"), "put in"),
    ],
)
def test_what_was_changed_after_it_was_sealed_is_found_within_the_time_that_is_set(
    *, ledger: Ledger, url: str, admin: Admin, tmp_path: Path, statement: str, said: str
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 300)
    admin.execute("SELECT nextval('ledger.position')")  # as a save that was rolled back leaves a gap
    events_of(ledger, 300)
    sealed(url, folder)
    position = positions(admin)[300]
    admin.execute("CREATE TABLE kept AS TABLE ledger.events")
    as_owner(admin, statement.format(position, new=uuid4()))
    with a_sealer(url, folder, ALL_AT_ONCE) as sealer, pytest.raises(EventDiffers, match=said) as found:
        sealer.step()
    assert found.value.leaf in {300, 512}  # where all of the end is gone, the next tile may be read first
    with a_sealer(url, folder) as sealer, pytest.raises(EventDiffers, match=said):  # the next one looks there first
        sealer.look_at_suspect()
    as_owner(admin, "DELETE FROM ledger.events", "INSERT INTO ledger.events SELECT * FROM kept")
    with a_sealer(url, folder, ALL_AT_ONCE) as sealer:
        sealer.look_at_suspect()
        assert sealer.step().size == 600
    assert folder.suspect() is None


def test_what_is_changed_between_numbering_and_signing_is_not_signed(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 20)
    extend = SealSession.extend

    def extended(session: SealSession, size: int, at: Sequence[int], hashes: Sequence[bytes], **after: int) -> None:
        extend(session, size, at, hashes, **after)
        as_owner(admin, f"UPDATE ledger.events SET topic = topic || 'x' WHERE position = {at[7]}")  # noqa: S608

    monkeypatch.setattr(SealSession, "extend", extended)
    with pytest.raises(EventDiffers, match="leaf 7"):
        sealed(url, folder)
    assert folder.last() is None


# What does not continue an organization's history.


def test_an_event_that_is_not_linked_to_the_one_before_is_not_sealed(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 20)
    sealed(url, folder)
    admin.execute(
        "INSERT INTO ledger.events SELECT organization_id, gen_random_uuid(), 1, organization_seq + 1,"
        " nextval('ledger.position'), recorded_at, topic, state, metadata, chain_hash"
        " FROM ledger.events ORDER BY position DESC LIMIT 1"
    )
    with pytest.raises(ChainBroken, match="chain hash"):
        sealed(url, folder)


def test_an_event_behind_one_that_is_missing_is_not_sealed(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 30, organizations=1)
    as_owner(admin, "DELETE FROM ledger.events WHERE organization_seq = 7")
    with pytest.raises(ChainBroken, match=r"number 8 .* does not follow number 6"):
        sealed(url, folder)


def test_an_event_that_came_in_behind_the_sealers_back_is_found_when_its_organization_goes_on(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path
) -> None:
    folder = folder_at(tmp_path)
    (organization_id,) = events_of(ledger, 5, organizations=1)
    (gap,) = admin.execute("SELECT nextval('ledger.position')").fetchone() or (0,)
    events_of(ledger, 5)
    sealed(url, folder)
    linked = (
        "INSERT INTO ledger.events SELECT organization_id, '{id}', 1, organization_seq + 1, {at}, recorded_at, topic,"
        " state, metadata, ledger.link(chain_hash, organization_id, organization_seq + 1, {at}, '{id}', 1, recorded_at,"
        " convert_to(topic, 'UTF8'), metadata, state) FROM ledger.events WHERE organization_id = '{organization}'"
        " ORDER BY organization_seq DESC LIMIT 1"
    )
    for at in (gap, 100):  # into the gap first, and then behind everything
        admin.execute(linked.format(id=uuid4(), at=f"{at}::bigint", organization=organization_id).encode())
    admin.execute("SELECT setval('ledger.position', 10000)")
    with pytest.raises(ChainBroken, match="unsealed"):
        sealed(url, folder)


# What was done to the tree.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof.tiles SET hashes = set_byte(hashes, 40, 7) WHERE (level, number) = (0, 0)",
        "UPDATE proof.tiles SET hashes = set_byte(hashes, 40, 7) WHERE (level, number) = (1, 0)",
        "UPDATE proof.tiles SET positions[41] = NULL WHERE (level, number) = (0, 0)",
        "UPDATE proof.tiles SET positions[41] = positions[40] WHERE (level, number) = (0, 0)",
        "DELETE FROM proof.tiles WHERE (level, number) = (0, 0)",
        "DELETE FROM proof.tiles WHERE (level, number) = (1, 0)",
        "DELETE FROM proof.tiles",
    ],
)
def test_a_tree_that_was_changed_is_not_signed(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path, statement: str
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 600)
    sealed(url, folder)
    admin.execute(statement.encode())
    with pytest.raises((TreeDiffers, EventDiffers, TreeRolledBack)):
        sealed(url, folder, ALL_AT_ONCE)


@pytest.mark.parametrize("lost", ["positions[1:100]", "array_append(positions[1:255], NULL)", "NULL"])
def test_a_tile_that_has_lost_where_the_next_one_begins_is_looked_at_first_from_then_on(
    ledger: Ledger, url: str, admin: Admin, tmp_path: Path, lost: str
) -> None:
    folder = folder_at(tmp_path)
    events_of(ledger, 600)
    sealed(url, folder)
    admin.execute("ALTER TABLE proof.tiles DROP CONSTRAINT tiles_check")
    admin.execute(f"UPDATE proof.tiles SET positions = {lost} WHERE (level, number) = (0, 0)".encode())  # noqa: S608
    with a_sealer(url, folder, ALL_AT_ONCE) as sealer:
        sealer._next_tile = 1  # it begins anywhere
        with pytest.raises(NotSealed):
            sealer.step()
    assert folder.suspect() == 511
    with a_sealer(url, folder) as sealer, pytest.raises(NotSealed):
        sealer.look_at_suspect()


class Above:
    """A tree of 65,536 leaves that are all alike; what stands in it two tiles up is wrong."""

    def tree(self) -> Above:
        return self

    def node(self, level: int, _: int) -> bytes:
        return above(bytes(TILE_HASHES * 32)) if level == 8 else b"\x07" * 32


def test_what_stands_wrong_two_tiles_above_is_found_again_by_the_next_sealer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_alike(_: object, start: int, end: int) -> Iterator[list[tuple[None, bytes]]]:
        yield [(None, bytes(32)) for _ in range(start, end)]

    monkeypatch.setattr("adapters.proof.sealer.reread", all_alike)
    folder, tree = folder_at(tmp_path), cast("SealSession", Above())
    last = Kept(Checkpoint("x", 1 << 16, b""), "")
    sealer = Sealer(tree, cast("Follower", None), folder, clock=utc_now, pace=ALL_AT_ONCE, last=last)
    folder.suspects((1 << 16) - 1)  # as if its turn had come
    for _ in range(2):
        with pytest.raises(TreeDiffers, match="tile 0 of level 1"):
            sealer.look_at_suspect()
        assert folder.suspect() == (1 << 16) - 1


def test_of_two_sealers_one_ends(ledger: Ledger, url: str, tmp_path: Path) -> None:
    events_of(ledger, 10)
    with a_sealer(url, folder_at(tmp_path)) as sealer, SealSession(url) as other:
        assert not other.elected()
        other.extend(0, [1], [b"\x07" * 32], after=0)  # as one that has lost its lock, and does not know
        with pytest.raises(TreeMoved):
            sealer.step()


@pytest.mark.parametrize("role", [APP, PROJECTOR, API])
def test_nobody_else_writes_the_tree_and_the_sealer_writes_nothing_else(shared: str, role: str) -> None:
    statements = {
        "INSERT INTO proof.tiles VALUES (0, 0, '\\x00', '{1}')": role,
        "UPDATE proof.checkpoints SET size = 1": role,
        "DELETE FROM proof.tiles": SEALER,
        "DELETE FROM proof.checkpoints": SEALER,
        "SELECT nextval('ledger.position')": SEALER,
        "INSERT INTO ledger.events SELECT * FROM ledger.events": SEALER,
        "SELECT value FROM ledger.personal_facts": SEALER,
    }
    for statement, who in statements.items():
        with (
            psycopg.connect(session(shared, role=who)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())
