"""A sealer on a test's database, and what it seals."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from adapters.postgres.follower import Follower
from adapters.postgres.seal_session import SealSession
from adapters.postgres.session import SEALER
from adapters.proof.seal_folder import SealFolder
from adapters.proof.sealer import Pace, Sealer, Step, begin
from adapters.workers.sealer import Ending, SealerSettings, run
from services.ledger import Ledger
from tests.adapters.postgres.writers import a_pool, save
from tests.examples import THE_SAME_DAY, resized_to

NEVER = Pace(reread_s=1e12)
SETTLED_S = 10.0


def folder_at(path: Path) -> SealFolder:
    """A sealer's folder with a key."""
    folder = SealFolder(path)
    if not folder.has_key():
        folder.make_key()
    return folder


def utc_now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def a_sealer(
    url: str, folder: SealFolder, pace: Pace = NEVER, clock: Callable[[], datetime] = utc_now
) -> Iterator[Sealer]:
    """The sealer of a database."""
    with ExitStack() as opened:
        session = opened.enter_context(SealSession(url))
        follower = opened.enter_context(Follower(url, role=SEALER))
        assert session.elected()
        settles(follower)
        yield begin(session, follower, folder, clock=clock, pace=pace)


@contextmanager
def sealing(url: str, folder: SealFolder, every_s: float = 0.1) -> Iterator[None]:
    """The sealer as the house runs it, in a thread of this process."""
    stop, endings = threading.Event(), list[Ending]()
    settings = SealerSettings(url, folder, every_s=every_s)
    thread = threading.Thread(target=lambda: endings.append(run(settings, stop)), name="sealer")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert endings == [Ending.STOPPED]


def settles(follower: Follower) -> None:
    """Waits for whoever writes elsewhere on the server, such as autovacuum: it holds up what is recorded here."""
    deadline = time.monotonic() + SETTLED_S
    follower.poll(1)
    while follower.settled_age_s and time.monotonic() < deadline:
        time.sleep(0.001)
        follower.poll(1)
    follower.go_back(0)


def sealed(url: str, folder: SealFolder, pace: Pace = NEVER) -> Step:
    """What one step of a new sealer does."""
    with a_sealer(url, folder, pace) as sealer:
        return sealer.step()


def events_of(ledger: Ledger, events: int, organizations: int = 7, seed: int = 1) -> list[UUID]:
    """Records so many events of several organizations, in mixed order."""
    chance, ids = random.Random(seed), [uuid4() for _ in range(organizations)]  # noqa: S311 - not a secret
    recorded = 0
    while recorded < events:
        pool = a_pool()
        for total in range(min(chance.randrange(60), events - recorded - 1)):
            resized_to(6 + total % 9, THE_SAME_DAY)(pool)
        recorded += save(ledger, pool, organization_id=chance.choice(ids)).events
    return ids
