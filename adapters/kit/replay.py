"""Replay: a consumer's places, and what it did, are taken back in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from adapters.kit.source import PARTITIONS, Place
from adapters.kit.stops import Stop
from adapters.kit.tables import Connection, Tables

Truncate: TypeAlias = Callable[[Connection], None]
"""Empties the consumer's own tables, within the transaction that resets its places."""


class NothingToReplay(Stop):
    """The consumer has read nothing yet."""


def replay(
    connection: Connection,
    consumer: str,
    *,
    truncate: Truncate,
    from_position: int = 0,
    places: Mapping[int, Place] | None = None,
) -> None:
    """Waits for what is being carried out, and makes it the last that was done from the old places.

    What is parked is forgotten, for it will be handed out again. What was discarded stays on record.
    """
    with connection.transaction():
        # Whoever carries something out holds its place; whoever comes later finds another place, and begins there.
        connection.execute("SELECT FROM kit.consumers WHERE consumer = %s FOR UPDATE", (consumer,))
        connection.execute("SELECT FROM kit.places WHERE consumer = %s ORDER BY partition FOR UPDATE", (consumer,))
        source = Tables(connection, consumer).source()
        connection.execute("DELETE FROM kit.parked WHERE consumer = %s", (consumer,))
        connection.execute("DELETE FROM kit.sequences WHERE consumer = %s", (consumer,))
        connection.execute("DELETE FROM kit.places WHERE consumer = %s", (consumer,))
        if places is None and from_position == 0:
            connection.execute("DELETE FROM kit.consumers WHERE consumer = %s", (consumer,))
        elif source is None:
            raise NothingToReplay(
                f"{consumer} has read nothing yet, so that positions mean nothing to it; run it first"
            )
        else:
            before = Place(from_position, started_after=from_position)
            _begin(connection, consumer, source, places or dict.fromkeys(range(PARTITIONS), before))
        truncate(connection)


def _begin(connection: Connection, consumer: str, source: str, places: Mapping[int, Place]) -> None:
    for partition, place in places.items():
        connection.execute(
            "INSERT INTO kit.places"
            " (consumer, source, partition, position, started_after, kafka_offset, kafka_position)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (consumer, source, partition, *place),
        )
