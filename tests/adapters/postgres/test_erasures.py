"""The list of erasures and the database that follows it: nothing that was answered is lost, wherever it ends."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.erasure_file import ErasureFile
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.erasures import Erasures, Replayed
from adapters.postgres.errors import StartRefused
from adapters.postgres.ledger import directory_of
from domain.member import Member
from domain.personal import ErasedFact
from services.ledger import Ledger
from services.ports import LedgerUnavailable, VersionConflict
from services.ports_privacy import Erasure
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.test_ledger_personal_facts import named
from tests.adapters.postgres.writers import a_change

ORGANIZATION = UUID("00000000-0000-4000-8000-00000000c0de")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def list_path(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "erasures.jsonl"


@pytest.fixture
def erasures(url: str, list_path: Path) -> Erasures:
    return Erasures(url, list_path)


@pytest.fixture
def register(ledger: Ledger) -> PersonalDirectory:
    return directory_of(ledger)


def leaver(ledger: Ledger, name: str = "ben@contoso.com") -> Member:
    """A member who has left."""
    member = named(ledger, ORGANIZATION, name, display="Ben Andrews")
    member.remove()
    ledger.save(member, because=a_change(ORGANIZATION), at=ledger.now())
    return member


def erase(
    ledger: Ledger,
    erasures: Erasures,
    member: Member,
    *,
    before_the_save: Callable[[], object] = lambda: None,
    after_it: Callable[[], object] = lambda: None,
) -> Erasure:
    """What the service does, with places in which something happens."""
    facts = [stored.fact for stored in directory_of(ledger).of_subject(ORGANIZATION, member.id)]
    because = a_change(ORGANIZATION)
    erasure = Erasure(ORGANIZATION, because.command_id, "objected", [fact.fact_id for fact in facts])
    member.erase(
        [ErasedFact(fact_id=fact.fact_id, purpose=fact.purpose) for fact in facts],
        kept=[],
        what_may_go=False,
        payment_method_ids=[],
        reason="objected",
    )
    with erasures.meaning(erasure) as intent:
        before_the_save()
        receipt = ledger.save(member, erasing=erasure.fact_ids, because=because, at=ledger.now())
        after_it()
        intent.done(receipt.position)
    return erasure


def die() -> None:
    raise Killed


def whats(erasures: Erasures) -> list[str]:
    return [line.what for line in erasures.file.read()]


def restored(admin: Admin) -> Callable[[], None]:
    """Takes a copy of what a backup has of people now, and answers how to put it back."""
    facts = admin.execute("SELECT * FROM ledger.personal_facts").fetchall()
    followed = admin.execute("SELECT line, hash FROM ledger.erasure_list").fetchall()[0]

    def put_back() -> None:
        admin.execute("DELETE FROM ledger.personal_facts")
        for fact in facts:
            admin.execute("INSERT INTO ledger.personal_facts VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", fact)
        admin.execute("UPDATE ledger.erasure_list SET line = %s, hash = %s", followed)

    return put_back


def test_an_erasure_stands_on_the_list_as_meant_and_as_done(
    ledger: Ledger, erasures: Erasures, register: PersonalDirectory, list_path: Path
) -> None:
    member = leaver(ledger)
    erasure = erase(ledger, erasures, member)
    meant, done = (json.loads(line) for line in list_path.read_text().splitlines())
    assert meant["facts"] == [str(fact_id) for fact_id in erasure.fact_ids]
    assert (meant["organization_id"], meant["reason"]) == (str(ORGANIZATION), "objected")
    assert done["meant"] == meant["line"] == 1
    assert register.of_subject(ORGANIZATION, member.id) == []
    assert "Ben" not in list_path.read_text()
    assert list_path.stat().st_mode & 0o077 == 0


def test_a_start_looks_and_waits_for_nobody(ledger: Ledger, erasures: Erasures) -> None:
    erasures.catch_up()
    assert not erasures.file.path.exists()
    erase(ledger, erasures, leaver(ledger))
    with erasures.file.alone():
        erasures.catch_up()


def test_a_database_of_before_is_brought_to_the_list(
    ledger: Ledger, erasures: Erasures, register: PersonalDirectory, admin: Admin
) -> None:
    ben, david = leaver(ledger), leaver(ledger, "david@contoso.com")
    erase(ledger, erasures, ben)
    put_back = restored(admin)
    erase(ledger, erasures, david)
    put_back()
    assert register.of_subject(ORGANIZATION, david.id)
    erasures.catch_up()
    assert register.of_subject(ORGANIZATION, david.id) == []
    assert admin.execute("SELECT line FROM ledger.erasure_list").fetchall() == [(4,)]


def test_a_replay_by_hand_carries_out_every_line(ledger: Ledger, erasures: Erasures, admin: Admin) -> None:
    member = leaver(ledger)
    put_back = restored(admin)
    erase(ledger, erasures, member)
    put_back()
    admin.execute("UPDATE ledger.erasure_list SET line = 2, hash = %s", (erasures.file.read()[1].hash,))
    assert erasures.replay() == Replayed(lines=2, erasures=1, facts=2)
    assert erasures.replay() == Replayed(lines=2, erasures=1, facts=0)


def test_killed_before_the_save_it_was_not_done(
    ledger: Ledger, erasures: Erasures, register: PersonalDirectory
) -> None:
    member = leaver(ledger)
    with pytest.raises(Killed):
        erase(ledger, erasures, member, before_the_save=die)
    assert whats(erasures) == ["meant"]
    erasures.catch_up()
    assert whats(erasures) == ["meant", "not_done"]
    assert len(register.of_subject(ORGANIZATION, member.id)) == 2


def test_killed_after_the_save_it_was_done(ledger: Ledger, erasures: Erasures, admin: Admin) -> None:
    member = leaver(ledger)
    put_back = restored(admin)
    with pytest.raises(Killed):
        erase(ledger, erasures, member, after_it=die)
    erasures.catch_up()
    assert whats(erasures) == ["meant", "done"]
    put_back()
    erasures.catch_up()
    assert admin.execute("SELECT count(*) FROM ledger.personal_facts").fetchall() == [(0,)]


def test_a_conflict_was_not_done_and_the_next_erasure_goes_on(ledger: Ledger, erasures: Erasures) -> None:
    member = leaver(ledger)

    def conflict() -> None:
        raise VersionConflict("moved on", member.id)

    with pytest.raises(VersionConflict):
        erase(ledger, erasures, member, before_the_save=conflict)
    assert whats(erasures) == ["meant", "not_done"]
    erase(ledger, erasures, ledger.member(ORGANIZATION, member.id))
    assert whats(erasures) == ["meant", "not_done", "meant", "done"]


def test_what_a_killed_process_has_sent_is_waited_for(ledger: Ledger, erasures: Erasures, url: str) -> None:
    """Its commit may still be on its way: history is asked under the organization's lock."""
    leaver(ledger)
    command_id = uuid4()
    with erasures.file.alone():
        erasures.file.append(
            None,
            what="meant",
            organization_id=str(ORGANIZATION),
            command_id=str(command_id),
            facts=[],
            reason="objected",
        )
    with psycopg.connect(url) as committing:
        committing.execute("SELECT pg_advisory_xact_lock(uuid_hash_extended(%s, 0))", (ORGANIZATION,))
        committing.execute(
            "INSERT INTO ledger.commands SELECT organization_id, %s, '', fingerprint, position, organization_seq, 1,"
            " recorded_at FROM ledger.commands LIMIT 1",
            (command_id,),
        )
        waiting = threading.Thread(target=erasures.catch_up)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        committing.commit()
        waiting.join(10)
    assert whats(erasures) == ["meant", "done"]


def test_many_at_once_stand_one_after_the_other(ledger: Ledger, erasures: Erasures, url: str) -> None:
    members = [leaver(ledger, f"user.{number}@contoso.com") for number in range(12)]

    def one(member: Member) -> None:
        erase(ledger, Erasures(url, erasures.file.path), member)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, members))
    assert whats(erasures) == ["meant", "done"] * 12
    assert erasures.replay().erasures == 12


@pytest.mark.parametrize("lost", ["all of it", "its end", "another one"])
def test_without_its_list_the_ledger_does_not_start(
    ledger: Ledger, erasures: Erasures, url: str, tmp_path: Path, lost: str
) -> None:
    erase(ledger, erasures, leaver(ledger))
    path = erasures.file.path
    lines = path.read_text().splitlines(keepends=True)
    if lost == "all of it":
        path.unlink()
    elif lost == "its end":
        path.write_text(lines[0])
    else:
        other = ErasureFile(tmp_path / "another")
        first = other.append(None, what="meant", organization_id=str(ORGANIZATION), command_id=str(uuid4()), facts=[])
        other.append(first, what="not_done", meant=1)
        path.write_bytes(other.path.read_bytes())
    with pytest.raises(StartRefused, match="put the list back"):
        Erasures(url, path).catch_up()


def test_a_list_that_is_lost_is_made_again_of_history(ledger: Ledger, erasures: Erasures, admin: Admin) -> None:
    member = leaver(ledger)
    put_back = restored(admin)
    erasure = erase(ledger, erasures, member)
    erasures.file.path.unlink()
    assert erasures.rebuild() == Replayed(lines=2, erasures=1, facts=0)
    assert erasures.file.read()[0].said["facts"] == [str(fact_id) for fact_id in erasure.fact_ids]
    erasures.catch_up()
    put_back()
    erasures.catch_up()
    assert admin.execute("SELECT count(*) FROM ledger.personal_facts").fetchall() == [(0,)]


def test_a_line_that_was_torn_is_cut_off(ledger: Ledger, erasures: Erasures) -> None:
    """Nobody was answered before it was whole."""
    erase(ledger, erasures, leaver(ledger))
    with erasures.file.path.open("a") as file:
        file.write('{"line": 3, "what": "mea')
    erasures.catch_up()
    erase(ledger, erasures, leaver(ledger, "david@contoso.com"))
    assert whats(erasures) == ["meant", "done"] * 2


@pytest.mark.parametrize("change", [("objected", "withdrawn"), ('"line": 1', '"line": 7'), ("{", "[")])
def test_a_line_that_was_changed_is_named(ledger: Ledger, erasures: Erasures, change: tuple[str, str]) -> None:
    erase(ledger, erasures, leaver(ledger))
    path = erasures.file.path
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(StartRefused, match="line 1 of the erasure list"):
        erasures.replay()


def test_a_list_that_cannot_be_written_erases_nothing(
    ledger: Ledger, url: str, tmp_path: Path, register: PersonalDirectory
) -> None:
    member = leaver(ledger)
    (tmp_path / "a file").touch()
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        erase(ledger, Erasures(url, tmp_path / "a file" / "erasures.jsonl"), member)
    assert len(register.of_subject(ORGANIZATION, member.id)) == 2


def test_a_disk_that_takes_a_part_of_a_line_has_none_of_it(
    ledger: Ledger, erasures: Erasures, register: PersonalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(ledger, erasures, leaver(ledger, "david@contoso.com"))
    before, member, write = erasures.file.path.read_bytes(), leaver(ledger), os.write
    with monkeypatch.context() as nearly_full:
        nearly_full.setattr(os, "write", lambda descriptor, text: write(descriptor, text[: len(text) // 2]))
        with pytest.raises(LedgerUnavailable, match="No space left"):
            erase(ledger, erasures, member)
    assert erasures.file.path.read_bytes() == before
    assert len(register.of_subject(ORGANIZATION, member.id)) == 2
    erase(ledger, erasures, member)
    assert whats(erasures) == ["meant", "done"] * 2


def test_a_line_that_is_longer_than_what_is_looked_at_is_not_forgotten(
    ledger: Ledger, erasures: Erasures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.erasure_file.TAIL", 64)
    for name in ("ben@contoso.com", "david@contoso.com"):
        erase(ledger, erasures, leaver(ledger, name))
    erasures.catch_up()
    assert [line.number for line in erasures.file.read()] == [1, 2, 3, 4]


def test_the_event_and_the_deletion_are_one_save(ledger: Ledger, register: PersonalDirectory, admin: Admin) -> None:
    member = leaver(ledger)
    ids = [stored.fact.fact_id for stored in register.of_subject(ORGANIZATION, member.id)]
    admin.execute(
        "CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
        " CREATE TRIGGER no BEFORE DELETE ON ledger.personal_facts EXECUTE FUNCTION refuse_it()"
    )
    events = admin.execute("SELECT count(*) FROM ledger.events").fetchall()
    member.restore()
    with suppress(psycopg.Error):
        ledger.save(member, erasing=ids, because=a_change(ORGANIZATION), at=ledger.now())
    assert admin.execute("SELECT count(*) FROM ledger.events").fetchall() == events
    assert len(register.of_subject(ORGANIZATION, member.id)) == 2


def test_what_was_deleted_is_cleared_out_of_indexes_and_statistics(
    ledger: Ledger, erasures: Erasures, admin: Admin
) -> None:
    for number in range(20):
        leaver(ledger, f"user.{number}@contoso.com")
    canary = leaver(ledger, "canary@contoso.com")
    admin.execute("ANALYZE ledger.personal_facts")
    seen = "SELECT count(*) FROM pg_stats WHERE tablename LIKE 'personal_facts%%' AND pg_stats::text LIKE '%%canary%%'"
    assert admin.execute(seen).fetchall() != [(0,)]
    erase(ledger, erasures, canary)
    assert erasures.vacuum()
    assert admin.execute(seen).fetchall() == [(0,)]
