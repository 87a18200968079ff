"""The builds of the read models: which there are, who folds them, which one queries follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Identifier

from adapters.postgres.read_tables import Build, table_name, tables_of
from projections.projection import Projection

LISTED = "SELECT projection, build, version, state, position, tables FROM projections.builds ORDER BY projection, build"
# A build is folded by whoever holds its lock, in the session that writes: where the session is gone, so is the lock.
LOCK_KEY = "hashtextextended(format('seatledger.projections.%%s.%%s', %s::text, %s::int), 0)"
IN_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('seatledger.projections.' || %s, 0))"
NEXT = """
SELECT 1 + coalesce(max(build), 0),
       coalesce(bool_or(state IN ('building', 'live') AND version >= %s), false)
  FROM projections.builds WHERE projection = %s
"""
NEW = "INSERT INTO projections.builds (projection, build, version, state, tables) VALUES (%s, %s, %s, %s, %s)"
MOVE = """
UPDATE projections.builds SET position = %s
 WHERE projection = %s AND build = %s AND position = %s AND state <> 'retired'
"""
DROP = "DELETE FROM projections.builds WHERE projection = %s AND build = %s AND state = %s"
DROP_WAITS = "100ms"


def builds(connection: psycopg.Connection[Any]) -> list[Build]:
    """Every build there is."""
    return [Build(*row) for row in connection.execute(LISTED)]


def lock(connection: psycopg.Connection[Any], build: Build) -> bool:
    """Takes the build for this session, if nobody else folds it."""
    query = f"SELECT pg_try_advisory_lock({LOCK_KEY})"
    row = connection.execute(query.encode(), (build.projection, build.build)).fetchone()
    return bool(row and row[0])


def unlock(connection: psycopg.Connection[Any], build: Build) -> None:
    connection.execute(f"SELECT pg_advisory_unlock({LOCK_KEY})".encode(), (build.projection, build.build))


def create(connection: psycopg.Connection[Any], projection: Projection, state: str) -> Build | None:
    """Makes an empty build and takes it for this session; None when another session has just made what is missing."""
    with connection.transaction():
        connection.execute(IN_TURN, (projection.name,))
        row = connection.execute(NEXT, (projection.version, projection.name)).fetchone()
        number, there = cast("tuple[int, bool]", row)
        if there and state == "building":
            return None
        tables = [table_name(table, number) for table in projection.tables]
        build = Build(projection.name, number, projection.version, state, 0, tables)
        if not lock(connection, build):
            return None  # the last one of this number is just being dropped
        connection.execute(NEW, (build.projection, build.build, build.version, build.state, build.tables))
        for table in tables_of(projection, build.build):
            table.create(connection)
    return build


def move(connection: psycopg.Connection[Any], build: Build, position: int) -> bool:
    """Moves the position on, in the transaction that writes the rows; False where the build is not what it was."""
    moved = connection.execute(MOVE, (position, build.projection, build.build, build.position))
    return moved.rowcount == 1


def make_live(connection: psycopg.Connection[Any], build: Build) -> bool:
    """Lets queries follow this build from now on; False while it is behind the one that they follow now."""
    if build.position:
        for name in build.tables:  # before anybody plans a query on a large table without statistics
            connection.execute(SQL("ANALYZE {}").format(Identifier("projections", name)))
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = on")
        live = connection.execute(
            "SELECT build, position FROM projections.builds WHERE projection = %s AND state = 'live' FOR UPDATE",
            (build.projection,),
        ).fetchone()
        if live and live[1] > build.position:
            return False
        if live:
            set_state(connection, build.projection, live[0], "retired")
        set_state(connection, build.projection, build.build, "live")
    return True


def set_state(connection: psycopg.Connection[Any], projection: str, build: int, state: str) -> None:
    connection.execute(
        "UPDATE projections.builds SET state = %s WHERE projection = %s AND build = %s", (state, projection, build)
    )


def drop(connection: psycopg.Connection[Any], build: Build) -> bool:
    """Drops a build that this session has taken; False where somebody still reads it, or it is not what it was."""
    try:
        with connection.transaction():
            connection.execute(SQL("SET LOCAL lock_timeout = {}").format(DROP_WAITS))
            # What was a comparison may have become the live build since it was listed.
            if connection.execute(DROP, (build.projection, build.build, build.state)).rowcount == 0:
                return False
            for name in build.tables:
                connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier("projections", name)))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def drop_abandoned(connection: psycopg.Connection[Any], found: Sequence[Build], version: int) -> None:
    """Drops, of one projection, what nobody needs: retired builds, killed comparisons, unfinished outdated builds.

    `version` is that of the running code. What somebody still folds or reads stays until the next time.
    """
    live_version = max((build.version for build in found if build.state == "live"), default=0)
    for build in found:
        outdated = build.state == "building" and (build.version <= live_version or build.version < version)
        if (outdated or build.state in {"retired", "scratch"}) and lock(connection, build):
            drop(connection, build)
            unlock(connection, build)
