"""Who forgets people is killed at any moment: the same commands finish it, and list, history and facts say the same.

`tests/system/forgetting.py` says who the people are, and what is known of them.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from pydantic import SecretStr

from adapters.composition import House
from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.history_reads import HistoryReads
from adapters.settings import Settings
from adapters.verification import verify_history
from domain.member import Member
from services.erase_personal_facts import ErasePersonalFacts

if TYPE_CHECKING:
    from tests.system.forgetting import Crowd

LONGEST_LIFE_S = 0.2
KEPT_BY_INVOICES = {"bill_to_name", "tax_id"}


@dataclass
class ForgettingOutcome:
    """A run, as it is kept in the evidence."""

    seed: int
    people: int
    kills: int = 0
    lists: dict[str, int] = field(default_factory=dict)  # lines by what they say
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def stood(self) -> bool:
        return not self.complaints and self.kills > 0


def run_forgetting(
    settings: Settings,
    journal: Path,
    *,
    seed: int,
    kills: int,
    people: int,
    tell: Callable[[str], None] = lambda _: None,
) -> ForgettingOutcome:
    """Forgets all of a crowd in an empty database; whoever does it is killed until it was killed often enough."""
    from tests.services.on_sale import import_power_bi  # noqa: PLC0415 - tests are not there where only the product is
    from tests.system.forgetting import Crowd  # noqa: PLC0415

    started, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - to repeat a run
    outcome = ForgettingOutcome(seed, people)
    journal.touch()
    with House(settings) as house:
        house.migrate()
        import_power_bi(house.ledger)
        crowd = Crowd(house, people, payers=3)
        crowd.leave(crowd.ids)
    commands = [an_erasure(crowd, member_id) for member_id in crowd.ids]
    tell(f"{people:,} people have left")
    while outcome.kills < kills and killed(settings, journal, commands, chance.uniform(0, LONGEST_LIFE_S)):
        outcome.kills += 1
    erase_all(settings, journal, commands)
    outcome.complaints = list(complaints(settings, journal, crowd, commands, outcome))
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


def run_forgetting_on_a_server(
    seed: int, kills: int, people: int, tell: Callable[[str], None] = lambda _: None
) -> ForgettingOutcome:
    """The same on a PostgreSQL of its own."""
    with throw_away_postgres() as server, TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(
            database_url=SecretStr(server.url), fingerprint_key=SecretStr("5a" * 32), home=home / "home"
        )
        return run_forgetting(settings, home / "journal", seed=seed, kills=kills, people=people, tell=tell)


def an_erasure(crowd: Crowd, member_id: Any) -> ErasePersonalFacts:
    return ErasePersonalFacts(
        organization_id=crowd.organization_id,
        command_id=uuid4(),
        actor=crowd.admin,
        member_id=member_id,
        reason="asked_by_subject",
        what_may_go=True,
    )


def killed(settings: Settings, journal: Path, commands: Sequence[ErasePersonalFacts], life_s: float) -> bool:
    """One life, from its first erasure on; whether it was still at it when it was killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    eraser = context.Process(target=erase_all, args=(settings, journal, commands))
    eraser.start()
    before = journal.stat().st_size
    while journal.stat().st_size == before and eraser.is_alive():
        time.sleep(0.002)
    time.sleep(life_s)
    at_it = eraser.is_alive()
    if at_it and eraser.pid is not None:
        os.kill(eraser.pid, signal.SIGKILL)
    eraser.join()
    return at_it


def erase_all(settings: Settings, journal: Path, commands: Sequence[ErasePersonalFacts]) -> None:
    """Those that were not acknowledged yet, in their order; notes each before and after."""
    from tests.system.forgetting import erase  # noqa: PLC0415 - tests are not there where only the product is

    done = acknowledged(journal)
    out = os.open(journal, os.O_WRONLY | os.O_APPEND)
    with House(settings) as house:
        _ = house.ledger
        for command in commands:
            if str(command.command_id) not in done:
                os.write(out, f"S {command.command_id}\n".encode())
                erase(house, command)
                os.write(out, f"A {command.command_id}\n".encode())
    os.close(out)


def acknowledged(journal: Path) -> set[str]:
    return {line[2:] for line in journal.read_text().split("\n") if line.startswith("A")}


def complaints(
    settings: Settings,
    journal: Path,
    crowd: Crowd,
    commands: Sequence[ErasePersonalFacts],
    outcome: ForgettingOutcome,
) -> Iterator[str]:
    """Everything in which list, history and facts do not agree."""
    asked = {str(one.command_id) for one in commands}
    if missing := asked - acknowledged(journal):
        yield f"{len(missing)} erasures were never acknowledged"
    with House(settings) as house, psycopg.connect(url := house.database_url) as owner:
        listed = house.erasures.file.read()
        outcome.lists = {what: sum(line.what == what for line in listed) for what in ("meant", "done", "not_done")}
        meant = {line.number: line.said for line in listed if line.what == "meant"}
        done = [str(meant[line.said["meant"]]["command_id"]) for line in listed if line.what == "done"]
        if sorted(done) != sorted(asked):
            yield f"the list has {len(done)} erasures as done, and {len(asked)} were asked for"
        if len(listed) != 2 * len(meant):
            yield f"of {len(meant)} erasures that were meant, {len(listed) - len(meant)} have an end"
        told = "SELECT count(*), count(DISTINCT originator_id) FROM ledger.events WHERE topic = %s"
        ((events, members),) = owner.execute(told, (Member.PersonalDataErased.TOPIC,)).fetchall()
        if (events, members) != (len(asked), len(asked)):
            yield f"history tells {events} erasures of {members} people, and {len(asked)} were asked for"
        left = "SELECT DISTINCT purpose FROM ledger.personal_facts WHERE subject_id <> %s"
        purposes = {purpose for (purpose,) in owner.execute(left, (crowd.admin.id,)).fetchall()}
        if purposes != KEPT_BY_INVOICES:
            yield f"facts are left for {sorted(purposes)}"
        if again := house.erasures.replay().facts:
            yield f"{again} facts of the list were still there"
    with HistoryReads(url) as reads:
        yield from (f"{one.check}: {one.key}: {one.what}" for one in verify_history(reads))


def summarize_forgetting(outcome: ForgettingOutcome) -> None:
    print()
    for name, count in {"people": outcome.people, "kills of the eraser": outcome.kills, **outcome.lists}.items():
        print(f"{name.replace('_', ' '):<40}{count:>12,}")
    print()
    for complaint in outcome.complaints:
        print(f"FOUND   {complaint}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")
