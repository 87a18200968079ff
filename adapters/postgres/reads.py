"""Reading the read models: which tables queries follow, and waiting until they have come far enough."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache
from typing import Any, Self, TypeAlias, TypeVar

import psycopg
from psycopg.sql import Composed, Identifier

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.follower import DRAWN
from adapters.postgres.pool import Pool
from adapters.postgres.projector import Projector
from adapters.postgres.projector_builds import builds
from adapters.postgres.read_tables import Build, table_name
from adapters.postgres.session import API, APP, session
from projections.projection import Projection, Table
from services.ports import LedgerUnavailable
from services.ports_reads import NeverTold, NotYet

T = TypeVar("T")
Connection: TypeAlias = psycopg.Connection[Any]

LIVE = "SELECT projection, build, position FROM projections.builds WHERE projection = ANY(%s) AND state = 'live'"
HEAD = "SELECT coalesce(max(position), 0) FROM ledger.events"
# Of one organization, in one look: through the wall the one above would pass over the newer events of all others.
HEAD_WITHIN = (
    "SELECT position FROM ledger.events WHERE organization_id = (SELECT ledger.walled_organization())"
    " ORDER BY organization_seq DESC LIMIT 1"
)
WAIT_S = 5.0
POOL_WAIT_S = 10.0
PATIENCE_S = 0.06  # a running projector needs less; after it a query folds itself what nobody else folds
INLINE_S = 0.5  # of folding between two looks
LOOK_S = 0.005
KNOWN_S = 0.5  # so long queries that ask for no position go on reading a build that was live
SOON_S = 0.25  # so long everybody may wait; who asks for what is far away must not keep the threads of others
LONG_WAITS = 8  # at a time, behind the wall


def refuse_never_drawn(connection: Connection, position: int) -> None:
    """Raises NeverTold where no event can have the position."""
    row = connection.execute(DRAWN).fetchone()
    if row is None or position > row[0]:
        raise NeverTold


class Tables(dict[Table[Any], Identifier]):
    """What the tables of some builds are called, for as long as these builds are read.

    Statements on them are put together once.
    """

    def __init__(self, names: Mapping[Table[Any], Identifier]) -> None:
        super().__init__(names)
        self._statements: dict[object, bytes] = {}

    def statement(self, which: Hashable, made: Callable[[], Composed]) -> bytes:
        if (found := self._statements.get(which)) is None:
            found = self._statements[which] = made().as_bytes()
        return found


@lru_cache(maxsize=256)
def named_tables(projections: tuple[type[Projection], ...], builds: tuple[int, ...]) -> Tables:
    """What the tables of these builds are called."""
    return Tables(
        {
            table: Identifier("projections", table_name(table, build))
            for projection, build in zip(projections, builds, strict=True)
            for table in projection.tables
        }
    )


def tables_of(projections: Sequence[type[Projection]], live: Mapping[str, tuple[int, int]]) -> Tables:
    return named_tables(tuple(projections), tuple(live[projection.name][0] for projection in projections))


class ReadModels:
    """The read tables that are live, on a pool of connections. For several threads.

    `walled`: queries see the rows of the organization of `wall.within(…)` alone; a query that folds sees all history.
    Behind the wall are callers from outside: they wait at most `WAIT_S`, and few of them at a time for long.
    """

    def __init__(self, url: str, *, pool_size: int = 4, wait_s: float = WAIT_S, walled: bool = False) -> None:
        self._url = url
        self._wait_s = min(wait_s, WAIT_S) if walled else wait_s
        self._long_waits = threading.Semaphore(LONG_WAITS) if walled else None
        self._head = HEAD_WITHIN if walled else HEAD
        conninfo = session(url, role=API if walled else APP, name="seatledger reads", TimeZone="UTC")
        self._known: dict[tuple[str, ...], tuple[float, dict[str, tuple[int, int]]]] = {}  # until when, and what
        self._folding = threading.Lock()  # one query of a process folds at a time, however many wait
        self._pool = Pool(conninfo, size=pool_size, wait_s=POOL_WAIT_S, walled=walled)

    def read(
        self, projections: Sequence[type[Projection]], at_least: int, query: Callable[[Connection, Tables], T]
    ) -> T:
        """Runs a query of one statement on the live tables once all of them are at `at_least` or further.

        Raises NotYet when they are not after some seconds. Where no projector runs, they are brought there here.
        Raises NeverTold at once when nobody can have been told of that position.
        """
        started = time.monotonic()
        names = [projection.name for projection in projections]
        with ExitStack() as stack:
            inline: Projector | None = None
            looked_again = waits_long = False
            while True:
                positions: dict[str, int] = {}
                with unavailable_is_told(), self._pool.connection() as connection:
                    live = self._live(connection, names, at_least, anew=looked_again)
                    positions = {name: live[name][1] for name in names if name in live}
                    if all(positions.get(name, -1) >= at_least for name in names):
                        try:
                            return query(connection, tables_of(projections, live))
                        except psycopg.errors.UndefinedTable:
                            if not looked_again:
                                looked_again = True
                                continue  # dropped since it was looked up: another build is live now
                            positions = {}  # of an earlier release, which had no such table
                        except psycopg.errors.UndefinedColumn:
                            positions = {}  # of an earlier release: this one's tables are being built
                    else:
                        refuse_never_drawn(connection, at_least)
                waited_s = time.monotonic() - started
                if waited_s > SOON_S and not waits_long:
                    waits_long = self._may_wait_long(stack)
                if waited_s > self._wait_s or (waited_s > SOON_S and not waits_long):
                    name = min(names, key=lambda name: positions.get(name, -1))
                    raise NotYet(read_model=name, waited_s=waited_s, at_least=at_least, position=positions.get(name))
                if (waited_s > PATIENCE_S or not positions) and self._folding.acquire(blocking=False):
                    stack.callback(self._folding.release)
                    inline = self._projector(stack)
                if inline:
                    inline.catch_up(names, at_least, timeout_s=min(INLINE_S, self._wait_s))
                time.sleep(LOOK_S)

    def _live(
        self, connection: Connection, names: Sequence[str], at_least: int, *, anew: bool
    ) -> Mapping[str, tuple[int, int]]:
        """The live build of each projection with its position; for who asks for no position, as of a moment ago."""
        key = tuple(names)
        if not at_least and not anew and (known := self._known.get(key)) and known[0] > time.monotonic():
            return known[1]
        live = {name: (build, position) for name, build, position in connection.execute(LIVE, (list(names),))}
        if live.keys() >= set(names):
            self._known[key] = time.monotonic() + KNOWN_S, live
        return live

    def _may_wait_long(self, stack: ExitStack) -> bool:
        """Takes one of the places, until the query has its answer."""
        if self._long_waits is None:
            return True
        if not self._long_waits.acquire(blocking=False):
            return False
        stack.callback(self._long_waits.release)
        return True

    def _projector(self, stack: ExitStack) -> Projector | None:
        """A projector for this query; None where this login may not write read tables, so that it can only wait."""
        try:
            return stack.enter_context(Projector(self._url))
        except LedgerUnavailable:
            return None

    def head(self) -> int:
        """The position of history's last event; of the one organization's where there is a wall."""
        with unavailable_is_told(), self._pool.connection() as connection:
            row = connection.execute(self._head).fetchone()
        return int(row[0]) if row else 0

    def builds(self) -> list[Build]:
        """Every build there is, and how far it has come."""
        with unavailable_is_told(), self._pool.connection() as connection:
            return builds(connection)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
