"""The same databases as of the tests of PostgreSQL."""

from tests.adapters.postgres.conftest import admin, ledger, migrated, shared, url

__all__ = ["admin", "ledger", "migrated", "shared", "url"]
