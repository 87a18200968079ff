"""Everything that a soak runs: the servers, the processes beside them, and what was seen of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psycopg

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.kafka_cluster import EmbeddedKafkaCluster
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_home, throw_away_kafka, throw_away_postgres
from adapters.kafka.relay_position import read_position
from adapters.kafka.topic_settings import Topics
from adapters.postgres.migrate import migrate
from adapters.postgres.relay_session import RelaySession
from adapters.proof.seal_folder import SealFolder
from adapters.workers.relay import Ending
from adapters.workers.sealer import Ending as SealerEnding
from services.command import Command
from tools.soak.programs import SHARED, complete, ledger_of, till_of
from tools.soak.wishes import SHARED_LICENSES, Organization, carry_out, catalog, opening
from tools.soak.workers import Worker

CATCH_UP_S = 300.0
PATIENCE_S = 120.0  # for one that was killed to get on again
LOOK_S = 0.05
RESTARTABLE = tuple(int(ending) for ending in Ending if ending.restartable)


@dataclass
class Fleet:
    """A ledger under load. Findings are what must not happen."""

    folder: Path
    seed: int
    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka | EmbeddedKafkaCluster | None
    findings: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    prepared: list[Command] = field(default_factory=list)
    completed: int = 0  # payments that the run looked after at the end

    @property
    def url(self) -> str:
        return self.postgres.url

    # Before.

    def prepare(self, *, writers: int, shared: int) -> None:
        """The tables, the catalog, the organizations that all writers share, and a worker for each part."""
        migrate(self.url)
        chance = random.Random(f"{self.seed} shared")  # noqa: S311 - not a secret
        organizations: list[Organization] = []
        with ledger_of(self.url) as ledger, till_of(self.folder) as till:
            self.prepared.append(catalog(chance))
            for _ in range(shared):
                organization, commands = opening(chance, licenses=SHARED_LICENSES)
                organizations.append(organization)
                self.prepared.extend(commands)
            for command in self.prepared:
                carry_out(ledger, till, command)
        self.shared_path.write_bytes(SHARED.dump_json(organizations))
        for number, journal in enumerate(self.journals(writers)):
            arguments = (self.url, str(journal), f"{self.seed} {number}", str(self.shared_path))
            self.add(f"writer {number}", "writer", arguments, worked=lambda journal=journal: size_of(journal))
        self.add("follower", "follower", (self.url, str(self.notes)), worked=lambda: size_of(self.notes))
        self.add("projector", "projector", (self.url,), worked=self.projected)
        self.seal_folder.make_key()
        sealing = (self.url, str(self.seal_folder.path), self.kafka.bootstrap if self.kafka else "")
        self.add("sealer", "sealer", sealing, worked=self.sealed, restartable=(int(SealerEnding.FAILED),))
        if self.kafka:
            self.add("relay", "relay", (self.url, self.kafka.bootstrap), worked=self.relayed, restartable=RESTARTABLE)

    def add(self, name: str, kind: str, arguments: tuple[str, ...], **about: object) -> None:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.workers.append(Worker(name, kind, arguments, log=log, **about))  # type: ignore[arg-type]

    @property
    def shared_path(self) -> Path:
        return self.folder / "shared.json"

    @property
    def seal_folder(self) -> SealFolder:
        return SealFolder(self.folder / "seal")

    @property
    def notes(self) -> Path:
        return self.folder / "followed"

    def journals(self, writers: int | None = None) -> list[Path]:
        return [self.folder / f"journal-{n}" for n in range(len(self.writers) if writers is None else writers)]

    @property
    def writers(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.name.startswith("writer")]

    def start(self) -> None:
        for worker in self.workers:
            worker.start()

    # Meanwhile.

    def go_on(self, seconds: float) -> None:
        """Lets time pass, and looks after the processes."""
        until = time.monotonic() + seconds
        while True:
            self.look()
            if time.monotonic() >= until:
                return
            time.sleep(LOOK_S)

    def look(self) -> None:
        self.findings.extend(filter(None, (worker.look() for worker in self.workers)))

    def until(self, happens: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> bool:
        """Waits for something to happen; that it does not is a finding."""
        deadline = time.monotonic() + patience_s
        while not happens():
            if time.monotonic() > deadline:
                self.findings.append(f"{what} did not happen within {patience_s:g} s")
                return False
            self.go_on(LOOK_S)
        return True

    def written(self) -> int:
        """The position of the last event."""
        return self.count("SELECT coalesce(max(position), 0) FROM ledger.events")

    def projected(self) -> int:
        return self.count("SELECT coalesce(min(position), 0) FROM projections.builds WHERE state = 'live'")

    def relayed(self) -> int:
        return self.count("SELECT coalesce(max(position), 0) FROM relay.position")

    def sealed(self) -> int:
        return self.count("SELECT coalesce(max(size), 0) FROM proof.checkpoints")

    def count(self, query: str) -> int:
        with psycopg.connect(self.url) as connection:
            return int(cast("tuple[int]", connection.execute(query.encode()).fetchone())[0])

    # Kills.

    def kill(self, victim: str, chance: random.Random) -> None:
        """Kills one that is at work, somewhere in the middle of it, and starts it again."""
        match victim:
            case "writer":
                self._kill_worker(chance.choice(self.writers), chance)
            case "PostgreSQL":
                self._wait_for_work("PostgreSQL", lambda: sum(map(size_of, self.journals())), chance)
                self.postgres.kill9()
                self.go_on(chance.random() * 0.3)
                self.postgres.start()
            case "Kafka":
                assert isinstance(self.kafka, EmbeddedKafka), "there is one broker to kill"  # noqa: S101
                self._wait_for_work("Kafka", self.relayed, chance)
                self.kafka.kill9()
                self.go_on(chance.random() * 0.3)
                self.kafka.start()
            case _:
                self._kill_worker(next(worker for worker in self.workers if worker.name == victim), chance)
        self.kills[victim] = self.kills.get(victim, 0) + 1

    def _kill_worker(self, worker: Worker, chance: random.Random) -> None:
        self._wait_for_work(worker.name, worker.worked, chance)
        worker.kill()

    def _wait_for_work(self, name: str, worked: Callable[[], int], chance: random.Random) -> None:
        before = worked()
        self.until(lambda: worked() > before, f"work of {name} before its kill")
        time.sleep(chance.random() * 0.1)

    # After.

    def finish(self) -> None:
        """The writers stop, what they left open is completed, and everybody else comes to the end of history."""
        for writer in self.writers:
            self.stop(writer)
        self.completed = complete(self.url, self.folder)
        last = self.written()
        self.until(lambda: self.projected() == last, "the end of history in the read tables", CATCH_UP_S)
        self.until(lambda: last_note(self.notes) == last, "the end of history at the follower", CATCH_UP_S)
        if any(worker.name == "sealer" for worker in self.workers):
            events = self.count("SELECT count(*) FROM ledger.events")
            self.until(lambda: self.sealed() == events, "the end of history in the tree", CATCH_UP_S)
        if self.kafka:
            self.until(lambda: self.relayed() == last, "the end of history in the topic", CATCH_UP_S)
        for worker in self.workers:
            self.stop(worker)

    def stop(self, worker: Worker) -> None:
        if complaint := worker.stop():
            self.findings.append(complaint)

    def end(self) -> None:
        """Whatever becomes of the run, no process of it is left."""
        for worker in self.workers:
            worker.end()

    def published(self) -> int:
        """The position at which the topic itself says that it stands."""
        assert self.kafka, "there is a topic"  # noqa: S101
        with RelaySession(self.url, Topics().events) as session:
            found = read_position(self.kafka.bootstrap, Topics(), session.source(), session.earlier_sources())
        return found.position if found else 0


@contextmanager
def a_fleet(*, seed: int, writers: int, shared: int = 4, kafka: bool) -> Iterator[Fleet]:
    """Servers of its own, deleted at the end with everything else."""
    with ExitStack() as stack:
        folder = stack.enter_context(throw_away_home())
        postgres = stack.enter_context(throw_away_postgres())
        broker = stack.enter_context(throw_away_kafka()) if kafka else None
        fleet = Fleet(folder, seed, postgres, broker)
        stack.callback(fleet.end)
        fleet.prepare(writers=writers, shared=shared)
        yield fleet


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def last_note(notes: Path) -> int:
    """The position of the last event that the follower noted."""
    if not notes.exists():
        return 0
    with notes.open("rb") as file:
        file.seek(max(0, size_of(notes) - 1000))
        lines = file.read().split(b"\n")[:-1]
    return int(lines[-1].split()[0]) if lines else 0
