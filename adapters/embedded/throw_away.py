"""Homes for servers that live as long as a test run: nothing of them is left, however the run ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.kafka_cluster import EmbeddedKafkaCluster
from adapters.embedded.lease import open_lock
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.tansu import EmbeddedTansu

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNER_LOCK = "owner.lock"


@contextmanager
def throw_away_postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL of the caller's own, deleted at the end."""
    with throw_away_home() as home, EmbeddedPostgres(home) as server:
        yield server


@contextmanager
def throw_away_kafka() -> Iterator[EmbeddedKafka]:
    """A running Apache Kafka of the caller's own, deleted at the end."""
    with throw_away_home() as home, EmbeddedKafka(home) as broker:
        yield broker


@contextmanager
def throw_away_kafka_cluster() -> Iterator[EmbeddedKafkaCluster]:
    """Three running brokers of the caller's own, deleted at the end."""
    with throw_away_home() as home, EmbeddedKafkaCluster(home) as cluster:
        yield cluster


@contextmanager
def throw_away_home() -> Iterator[Path]:
    """An empty home, deleted at the end; also ends and deletes what killed runs left."""
    prefix = f"seatledger-throw-away-{os.geteuid()}-"
    temporary = Path(tempfile.gettempdir())
    for left_over in temporary.glob(f"{prefix}*"):
        with suppress(OSError):
            _delete_when_abandoned(left_over)
    # Under another name until its lock is held, or a run that starts now would take it for abandoned.
    unlocked = Path(tempfile.mkdtemp(prefix="seatledger-new-"))
    unlocked.chmod(0o711)
    owner = open_lock(unlocked / _OWNER_LOCK)
    fcntl.flock(owner, fcntl.LOCK_EX)
    home = unlocked.rename(temporary / unlocked.name.replace("seatledger-new-", prefix))
    try:
        yield home
    finally:
        _delete(home)
        os.close(owner)


def _delete_when_abandoned(home: Path) -> None:
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        return
    owner = open_lock(home / _OWNER_LOCK)
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _delete(home)
    finally:
        os.close(owner)


def _delete(home: Path) -> None:
    nodes = (EmbeddedKafka(folder) for folder in home.glob("node-*"))
    for server in (EmbeddedPostgres(home), EmbeddedKafka(home), EmbeddedTansu(home), *nodes):
        if server.folder.exists():
            server.kill9()
            server.delete()
    shutil.rmtree(home)
