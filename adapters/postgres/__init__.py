"""PostgreSQL: the ledger, its followers and migrations, and the read tables."""
