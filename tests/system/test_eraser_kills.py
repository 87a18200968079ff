"""Who erases is killed at any moment: the same command again finishes, and list, history and facts say the same."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.composition import House
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.migrate import migrate
from adapters.verification import verify_history
from domain.member import Member
from services.command import Actor
from services.erase_personal_facts import ErasePersonalFacts
from tests.services.on_sale import import_power_bi
from tests.system.forgetting import Crowd, erase, settings_of

KILLS, PEOPLE = 15, 150
LONGEST_LIFE_S = 0.2


def erase_all(url: str, home: Path, journal: Path, commands: Sequence[ErasePersonalFacts]) -> None:
    """Those that were not acknowledged yet, in their order; notes each before and after."""
    acknowledged = {line[2:] for line in journal.read_text().split("\n") if line.startswith("A")}
    out = os.open(journal, os.O_WRONLY | os.O_APPEND)
    with House(settings_of(url, home)) as house:
        _ = house.ledger
        for command in commands:
            if str(command.command_id) not in acknowledged:
                os.write(out, f"S {command.command_id}\n".encode())
                erase(house, command)
                os.write(out, f"A {command.command_id}\n".encode())


@pytest.mark.timeout(180)
def test_killed_at_any_moment_it_is_finished_by_the_same_command(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE erased")
    url, home, journal = postgres.url_as("postgres", "erased"), tmp_path / "home", tmp_path / "journal"
    journal.touch()
    migrate(url)
    with House(settings_of(url, home)) as house:
        import_power_bi(house.ledger)
        crowd = Crowd(house, PEOPLE, payers=3)
        crowd.leave(crowd.ids)
    commands = [an_erasure(crowd.organization_id, crowd.admin, member_id) for member_id in crowd.ids]

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.system.test_eraser_kills"])
    kills = 0
    while kills < KILLS:
        eraser = context.Process(target=erase_all, args=(url, home, journal, commands))
        eraser.start()
        before = journal.stat().st_size
        while journal.stat().st_size == before and eraser.is_alive():
            time.sleep(0.002)
        time.sleep(random.uniform(0, LONGEST_LIFE_S))  # noqa: S311 - any moment
        assert eraser.pid is not None
        assert eraser.is_alive(), "it was done before it was killed often enough: give it more people"
        os.kill(eraser.pid, signal.SIGKILL)
        eraser.join()
        kills += 1
    erase_all(url, home, journal, commands)

    lines = journal.read_text().split("\n")
    assert {line[2:] for line in lines if line.startswith("A")} == {str(one.command_id) for one in commands}
    with House(settings_of(url, home)) as house, psycopg.connect(url) as owner:
        listed = house.erasures.file.read()
        done = {line.said["meant"] for line in listed if line.what == "done"}
        meant = {line.number: line.said for line in listed if line.what == "meant"}
        assert len(listed) == 2 * len(meant)  # each has one end
        erased = owner.execute(
            "SELECT count(*) FROM ledger.events WHERE topic = %s", (Member.PersonalDataErased.TOPIC,)
        ).fetchall()
        assert erased == [(PEOPLE,)]  # each once, however often it was begun
        assert {meant[number]["command_id"] for number in done} == {str(one.command_id) for one in commands}
        assert len(done) == PEOPLE
        kept = owner.execute(
            "SELECT DISTINCT purpose FROM ledger.personal_facts WHERE subject_id <> %s", (crowd.admin.id,)
        )
        assert {purpose for (purpose,) in kept.fetchall()} == {"bill_to_name", "tax_id"}
        assert house.erasures.replay().facts == 0
    with HistoryReads(url) as reads:
        assert list(verify_history(reads)) == []


def an_erasure(organization_id: UUID, admin: Actor, member_id: UUID) -> ErasePersonalFacts:
    return ErasePersonalFacts(
        organization_id=organization_id,
        command_id=uuid4(),
        actor=admin,
        member_id=member_id,
        reason="asked_by_subject",
        what_may_go=True,
    )
