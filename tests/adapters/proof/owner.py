"""Whoever owns the database, and what they can do to it: triggers off, a backup, a restore."""

from __future__ import annotations

from collections.abc import Sequence

from tests.adapters.postgres.conftest import Admin

TABLES = ("ledger.events", "proof.tiles", "proof.checkpoints")


def as_owner(admin: Admin, *statements: str) -> None:
    """Triggers off, as whoever owns the database can."""
    admin.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
    for statement in statements:
        assert admin.execute(statement.encode()).rowcount > 0
    admin.execute("ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER only_grows")


def back_up(admin: Admin) -> None:
    for table in TABLES:
        admin.execute(f"CREATE TABLE {table.replace('.', '_')} AS TABLE {table}".encode())


def restore(admin: Admin) -> None:
    admin.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
    for table in TABLES:
        admin.execute(f"DELETE FROM {table}".encode())  # noqa: S608 - our own names
        admin.execute(f"INSERT INTO {table} SELECT * FROM {table.replace('.', '_')}".encode())  # noqa: S608
    admin.execute("ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER only_grows")


def fork(admin: Admin, epoch: int = 1) -> None:
    admin.execute("SELECT ledger.fork(%s::int, %s::int, 'restored', gen_random_uuid())", (epoch, epoch + 1))


def positions(admin: Admin) -> Sequence[int]:
    return [position for (position,) in admin.execute("SELECT position FROM ledger.events ORDER BY position")]
