"""What could not be handled, and all that came later of the same organization: listed, tried again, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from adapters.kit.event import Event
from adapters.kit.step import Handle, hand_out, told
from adapters.kit.tables import Connection

COLUMNS = "position, organization_id, sequence, type, attempts, error, parked_at, tried_at"


class Parked(NamedTuple):
    """An event that waits; without an error it waits behind one that has."""

    position: int
    organization_id: UUID
    sequence: int
    type: str
    attempts: int
    error: str | None
    parked_at: datetime
    tried_at: datetime | None


class Retried(NamedTuple):
    """What became of another try."""

    handled: int
    failed: Sequence[Parked]  # the first of each organization that still waits, because it failed again


class NotParked(Exception):
    """There is no such event; nothing was changed."""


def parked(connection: Connection, consumer: str, organization_id: UUID | None = None) -> list[Parked]:
    """What waits, by organization, in order."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM kit.parked JOIN kit.consumers USING (consumer, source) WHERE consumer = %s"  # noqa: S608
        " AND (%s::uuid IS NULL OR organization_id = %s)"
        " ORDER BY min(position) OVER (PARTITION BY organization_id), position",
        (consumer, organization_id, organization_id),
    )
    return [Parked(*row) for row in rows]


def retry_parked(connection: Connection, consumer: str, handle: Handle, organization_id: UUID | None = None) -> Retried:
    """Handles what waits, in order, an event and its transaction at a time; an organization ends at its first failure.

    New events of an organization wait behind the old ones until none is left. The consumer may run meanwhile.
    """
    handled = 0
    failed: list[Parked] = []
    waiting = dict.fromkeys(one.organization_id for one in parked(connection, consumer, organization_id))
    for one in waiting:
        while True:
            position = _first(connection, consumer, one)
            if position is None:
                break
            try:
                with connection.transaction():
                    if event := _held(connection, consumer, position):
                        hand_out(handle, event, connection)
                        _take_away(connection, consumer, position)
                        handled += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is kept beside the event
                _keep_failure(connection, consumer, position, told(error))
                failed += [row for row in parked(connection, consumer, one) if row.position == position]
                break
    return Retried(handled, failed)


def discard_parked(connection: Connection, consumer: str, position: int, *, because: str) -> None:
    """Gives an event up; it is kept in `kit.discarded`, with who did it and why. Later ones of its organization wait
    until they are tried again. Raises NotParked.
    """
    with connection.transaction():
        if _held(connection, consumer, position) is None:
            raise NotParked(f"{consumer} has no parked event at position {position}")
        connection.execute(
            "INSERT INTO kit.discarded (consumer, source, position, organization_id, sequence, type, attributes,"
            " content, attempts, error, because) SELECT consumer, source, position, organization_id, sequence, type,"
            " attributes, content, attempts, error, %s FROM kit.parked JOIN kit.consumers USING (consumer, source)"
            " WHERE consumer = %s AND position = %s",
            (because, consumer, position),
        )
        _take_away(connection, consumer, position)


def _first(connection: Connection, consumer: str, organization_id: UUID) -> int | None:
    row = connection.execute(
        "SELECT min(position) FROM kit.parked JOIN kit.consumers USING (consumer, source)"
        " WHERE consumer = %s AND organization_id = %s",
        (consumer, organization_id),
    ).fetchone()
    return row[0] if row else None


def _held(connection: Connection, consumer: str, position: int) -> Event | None:
    """The event, with its partition's place locked: no event of the partition is carried out or parked meanwhile."""
    connection.execute(
        "SELECT FROM kit.places JOIN kit.parked USING (consumer, source, partition)"
        " WHERE consumer = %s AND parked.position = %s FOR UPDATE OF places",
        (consumer, position),
    )
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT attributes, content FROM kit.parked JOIN kit.consumers USING (consumer, source)"
        " WHERE consumer = %s AND position = %s FOR UPDATE OF parked",
        (consumer, position),
    ).fetchone()
    return Event.of(row[0], bytes(row[1]), f"the parked event at position {position}") if row else None


def _take_away(connection: Connection, consumer: str, position: int) -> None:
    connection.execute("DELETE FROM kit.parked WHERE consumer = %s AND position = %s", (consumer, position))


def _keep_failure(connection: Connection, consumer: str, position: int, error: str) -> None:
    connection.execute(
        "UPDATE kit.parked SET attempts = attempts + 1, error = %s, tried_at = now()"
        " WHERE consumer = %s AND position = %s",
        (error, consumer, position),
    )
