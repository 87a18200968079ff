"""Erasures on two sides: the list outside the database, and how far the database follows it.

An erasure is written down as meant, recorded, and written down as done, before anybody gets an answer. What was cut off
in between history decides. A database that is behind the list came from a backup: it is brought there before it serves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import structlog
from eventsourcing.persistence import StoredEvent

from adapters.erasure_file import ENDINGS, ErasureFile, Line
from adapters.postgres.arrays import Array
from adapters.postgres.errors import StartRefused, unavailable_is_told
from adapters.postgres.session import APP, connect, session
from domain.envelope import Envelope
from domain.kernel import PydanticJSON, PydanticMapper
from domain.member import Member
from domain.refusals import Refusal
from services.ports import AlreadyRecorded, LedgerUnavailable, VersionConflict
from services.ports_privacy import Erasure

Connection = psycopg.Connection[tuple[Any, ...]]

FOLLOWED = "SELECT line, hash FROM ledger.erasure_list"
FOLLOW = "SELECT ledger.follow_erasure_list(%s, %s)"
RECORDED = "SELECT ledger.is_settled_as_recorded(%s, %s, '')"
POSITION = "SELECT position FROM ledger.commands WHERE organization_id = %s AND command_id = %s AND step = ''"
ERASE = "SELECT ledger.erase_facts(%s, %b::uuid[])"
ERASED = (
    "SELECT organization_id, originator_id, originator_version, topic, state, position, metadata FROM ledger.events"
    " WHERE topic = %s ORDER BY position"
)
# What is deleted, is out of the indexes and statistics too; the pages are used again.
VACUUM = "VACUUM (ANALYZE, INDEX_CLEANUP ON) ledger.personal_facts"
VACUUM_S = 10


class Replayed(NamedTuple):
    """What bringing the database to the list did."""

    lines: int
    erasures: int  # that the database did not follow yet
    facts: int  # of them that it still had


class WrittenIntent:
    """Implements `services.ports_privacy.Intent`."""

    def __init__(self, file: ErasureFile, connection: Connection, meant: Line) -> None:
        self._file, self._connection, self.meant = file, connection, meant

    def done(self, position: int) -> None:
        line = self._file.append(self.meant, what="done", meant=self.meant.number, position=position)
        with suppress(psycopg.Error):  # the next start follows it
            self._connection.execute(FOLLOW, (line.number, line.hash))


class Erasures:
    """Implements `services.ports_privacy.ErasureList` on a file and the database that it belongs to."""

    def __init__(self, url: str, path: Path) -> None:
        self._conninfo = session(url, role=APP, name="seatledger erasures", statement_timeout="0")
        self.file = ErasureFile(path)

    def catch_up(self) -> None:
        """What every start that serves looks at: two reads, where the database follows the list already."""
        with connect(self._conninfo) as connection, unavailable_is_told():
            if not follows(self.file, connection):
                with self.file.alone():
                    settle(self.file, connection)

    def replay(self) -> Replayed:
        """The same with a look at every line: each erasure is carried out once more."""
        with self.file.alone(), connect(self._conninfo) as connection, unavailable_is_told():
            return settle(self.file, connection, anew=True)

    def rebuild(self) -> Replayed:
        """A list that is lost, as far as history knows what stood on it; what was there is put aside."""
        with self.file.alone(), connect(self._conninfo) as connection, unavailable_is_told():
            if self.file.path.exists():
                aside = f"{self.file.path.name}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S}"
                self.file.path.rename(self.file.path.with_name(aside))
            last: Line | None = None
            for position, said in told_erasures(connection):
                meant = self.file.append(last, what="meant", **said)
                last = self.file.append(meant, what="done", meant=meant.number, position=position)
            connection.execute(FOLLOW, (0, b""))
            return settle(self.file, connection, anew=True)

    @contextmanager
    def meaning(self, erasure: Erasure) -> Iterator[WrittenIntent]:
        with self.file.alone(), connect(self._conninfo) as connection:
            with unavailable_is_told():
                if not follows(self.file, connection):
                    settle(self.file, connection)
            last = self.file.last() or next(reversed(self.file.read()), None)
            meant = self.file.append(last, what="meant", **said_of(erasure))
            intent = WrittenIntent(self.file, connection, meant)
            try:
                yield intent
            except (VersionConflict, AlreadyRecorded, Refusal):  # history did not take it; all else it has to say
                self.file.append(meant, what="not_done", meant=meant.number)
                raise

    def vacuum(self) -> bool:
        """Whether what was deleted could be cleared out of the table and its indexes at once."""
        try:
            with connect(self._conninfo) as connection:
                connection.execute(f"SET statement_timeout = '{VACUUM_S}s'")
                connection.execute(VACUUM)
        except (psycopg.Error, LedgerUnavailable):
            return False
        return True


def followed(connection: Connection) -> tuple[int, bytes]:
    """The last line that the database follows, by number and hash; 0: none."""
    return connection.execute(FOLLOWED).fetchall()[0]


def follows(file: ErasureFile, connection: Connection) -> bool:
    """Whether the database follows the list to its end, and nothing on it is without an end."""
    line, hash_ = followed(connection)
    last = file.last()
    if last is None:
        return not line and not file.path.exists()
    return last.what in ENDINGS and (last.number, last.hash) == (line, hash_)


def said_of(erasure: Erasure) -> dict[str, Any]:
    return {
        "organization_id": str(erasure.organization_id),
        "command_id": str(erasure.command_id),
        "reason": erasure.reason,
        "facts": [str(fact_id) for fact_id in erasure.fact_ids],
    }


def settle(file: ErasureFile, connection: Connection, *, anew: bool = False) -> Replayed:
    """Ends what was left as meant, and brings the database to the end of the list, while alone.

    `anew`: also what it follows already is carried out once more.
    """
    lines = file.read()
    line, hash_ = followed(connection)
    refuse_lost(file, lines, line, hash_)
    last = lines[-1] if lines else None
    ended = {one.said["meant"] for one in lines if one.what in ENDINGS}
    for meant in [one for one in lines if one.what == "meant" and one.number not in ended]:
        last = end(file, connection, meant, last)
        lines.append(last)
    by_number = {one.number: one.said for one in lines}
    behind = [one for one in lines if one.what == "done" and (anew or one.number > line)]
    gone = 0
    with connection.transaction():
        for done in behind:
            gone += erase(connection, by_number[done.said["meant"]])
        if last and last.number > line:
            connection.execute(FOLLOW, (last.number, last.hash))
    if gone:
        structlog.get_logger().warning(
            "erasures carried out once more: this database is from before them", erasures=len(behind), facts=gone
        )
    return Replayed(len(lines), len(behind), gone)


def end(file: ErasureFile, connection: Connection, meant: Line, last: Line | None) -> Line:
    """History decides what became of it: whoever meant it is gone, for we are alone."""
    place = UUID(meant.said["organization_id"]), UUID(meant.said["command_id"])
    if connection.execute(RECORDED, place).fetchall() == [(True,)]:
        ((position,),) = connection.execute(POSITION, place).fetchall()
        return file.append(last, what="done", meant=meant.number, position=position)
    return file.append(last, what="not_done", meant=meant.number)


def erase(connection: Connection, said: Mapping[str, Any]) -> int:
    """Deletes what an erasure was about; answers how much of it was there."""
    ids = Array.of_uuids(UUID(fact_id) for fact_id in said["facts"])
    ((gone,),) = connection.execute(ERASE, (UUID(said["organization_id"]), ids)).fetchall()
    return int(gone)


def refuse_lost(file: ErasureFile, lines: list[Line], line: int, hash_: bytes) -> None:
    """Refuses a list that is not the one that the database follows, or has lost its end."""
    if line and (len(lines) < line or lines[line - 1].hash != bytes(hash_)):
        found = f"has {len(lines)} lines" if lines else "is not there"
        raise StartRefused(
            f"the ledger follows the erasure list up to line {line}, and {file.path} {found} or is another list: put"
            " the list back from its copy (SEATLEDGER_ERASURE_LIST); if it is lost for ever, `seatledger privacy replay"
            " --rebuild` makes one of history"
        )


def told_erasures(connection: Connection) -> Iterator[tuple[int, dict[str, Any]]]:
    """What history says was erased, oldest first: the position, and what a line says of it."""
    mapper = PydanticMapper(PydanticJSON())
    for row in connection.execute(ERASED, (Member.PersonalDataErased.TOPIC,)).fetchall():
        organization_id, stream, version, topic, state, position, metadata = row
        told = mapper.to_domain_event(StoredEvent(stream, version, topic, state))
        command_id = Envelope.model_validate_json(metadata).command_id
        fact_ids = [fact.fact_id for fact in told.erased]
        yield position, said_of(Erasure(organization_id, command_id, told.reason, fact_ids))
