"""What operators decided where topic and history could not both be right: forks of the ledger, and skipped events."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString, NamedTuple, Self
from uuid import UUID

import psycopg

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.reads import HEAD
from adapters.postgres.session import APP, connect, session

FORKS = "SELECT from_epoch, to_epoch, last_position, chain_hash, why, forked_at FROM ledger.forks ORDER BY from_epoch"
SKIPS = "SELECT edition, position, chain_hash, why, skipped_at FROM relay.skips ORDER BY edition, position"
# What a topic was seen to have of this ledger; a restore takes this copy back too, so it is not all that is asked.
SHOWN = (
    "SELECT coalesce(max(split_part(source, '/', 4)::integer), 0) FROM relay.position, ledger.source"
    " WHERE source LIKE format('/seatledger/%s/%%', ledger_id)"
)


class ForkedMeanwhile(Exception):
    """Says that the ledger is in another epoch than was asked for."""


class Fork(NamedTuple):
    """The end of an epoch and the beginning of the next."""

    from_epoch: int
    to_epoch: int
    last_position: int
    chain_hash: bytes | None
    why: str
    forked_at: datetime


class Skip(NamedTuple):
    """An event in whose place a placeholder goes out."""

    edition: int
    position: int
    chain_hash: bytes
    why: str
    skipped_at: datetime


class Ledger(NamedTuple):
    """Which ledger it is, in which epoch, and where history ends."""

    ledger_id: UUID
    epoch: int
    highest_epoch_shown: int  # that a topic was seen to have
    last_position: int


class Forks:
    """The records of both, on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._connection = connect(session(url, role=APP, name="seatledger forks", TimeZone="UTC"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def forks(self) -> list[Fork]:
        return [Fork(*row) for row in self._rows(FORKS)]

    def skips(self) -> list[Skip]:
        return [Skip(*row) for row in self._rows(SKIPS)]

    def ledger(self) -> Ledger:
        ((ledger_id, epoch),) = self._rows("SELECT ledger_id, epoch FROM ledger.source")
        ((shown,),) = self._rows(SHOWN)
        ((last,),) = self._rows(HEAD)
        return Ledger(ledger_id, epoch, shown, last)

    def fork(self, *, expected: int, following: int, why: str, actor_id: UUID) -> None:
        """Ends the epoch that is expected to be the present one; raises ForkedMeanwhile where another is."""
        try:
            self._rows("SELECT ledger.fork(%s, %s, %s, %s)", expected, following, why, actor_id)
        except psycopg.errors.IntegrityConstraintViolation:
            raise ForkedMeanwhile(
                f"the ledger is not in epoch {expected} any more, or {following} does not come after it; look again"
            ) from None

    def skip(self, *, edition: int, position: int, chain_hash: bytes, why: str, actor_id: UUID) -> None:
        """Records it; that it may be is up to who calls this."""
        self._rows(
            "INSERT INTO relay.skips (edition, position, chain_hash, why, actor_id) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (edition, position) DO NOTHING RETURNING position",
            *(edition, position, chain_hash, why, actor_id),
        )

    def _rows(self, query: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        with unavailable_is_told():
            return self._connection.execute(query, parameters or None).fetchall()
