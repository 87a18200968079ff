"""A ledger that is sealed, and its owner, who changes it in a transaction that is looked at and then taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from adapters.postgres.sealed_reads import SealedReads
from adapters.proof.notes import VerifyingKey
from adapters.proof.seal_folder import SealFolder
from adapters.proof.verify_tree import TreeVerification, TreeVerified, Trusted, brought, of_sealer
from projections.audit.verify import Difference
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import ledger_at
from tests.adapters.proof.sealing import events_of, folder_at, sealed

NOBODY = Trusted(lambda _: (), (), ())
PARTS = (120, 130, 130)  # events of each checkpoint
UNSEALED = 20


class SealedLedger(NamedTuple):
    """Where it stands, its sealer's folder and key, each checkpoint as somebody kept it, and its organizations."""

    url: str
    owner: Admin
    folder: SealFolder
    key: VerifyingKey
    notes: Sequence[str]
    organizations: Sequence[UUID]

    @contextmanager
    def tampered(self, *statements: str) -> Iterator[None]:
        """What is done as the owner, with every trigger off; afterwards it is as it was."""
        with self.owner.transaction(force_rollback=True):
            self.owner.execute("SET LOCAL session_replication_role = replica")
            self.owner.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
            for statement in statements:
                assert self.owner.execute(statement.encode()).rowcount > 0, f"nothing is changed by {statement}"
            yield

    def found(self, trusted: Trusted | None = None) -> tuple[list[Difference], TreeVerified]:
        """What the audit finds, seen from within the owner's transaction."""
        with self.owner.transaction():
            verification = TreeVerification(
                SealedReads.over(self.owner), of_sealer(self.folder) if trusted is None else trusted
            )
            return list(verification.differences()), verification.verified

    def told(self, trusted: Trusted | None = None) -> list[str]:
        return [f"{one.check}: {one.key}: {one.what}" for one in self.found(trusted)[0]]

    def by_key(self, *notes: str) -> list[str]:
        """What somebody finds who has the log's key, and these checkpoints."""
        return self.told(brought([self.key], [("kept.txt", note) for note in notes]))

    def position(self, index: int) -> int:
        """Of the event that is leaf `index`, as long as nothing was changed."""
        query = "SELECT position FROM ledger.events ORDER BY position OFFSET %s LIMIT 1"
        ((position,),) = self.owner.execute(query, (index,)).fetchall()
        return int(position)


@contextmanager
def a_sealed_ledger(server: str, template: str, name: str, folder: Path) -> Iterator[SealedLedger]:
    """In a database of its own on the server, copied from a migrated one."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    url = make_conninfo(server, dbname=name)
    kept, notes, organizations = folder_at(folder), list[str](), list[UUID]()
    with ledger_at(url) as ledger:
        for seed, events in enumerate(PARTS):
            organizations += events_of(ledger, events, seed=seed)
            step = sealed(url, kept)
            assert step.signed
            notes.append(step.signed.note)
        events_of(ledger, UNSEALED, seed=9)
    key = kept.keys(notes[0].split("\n")[0])[0].verifying()
    with psycopg.connect(url, autocommit=True) as owner:
        yield SealedLedger(url, owner, kept, key, notes, organizations)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
