"""Where the sandbox keeps what it knows: SQLite, in a file that processes and threads share, or in memory."""

import os
import sqlite3
import time
from pathlib import Path
from threading import RLock
from types import TracebackType

VERSION = 1
BUSY_S = 60.0
# Times are microseconds since 1970, of the clock that the call was given. `calls` is the log and the memory of keys.
SCHEMA = """
CREATE TABLE cards (
    token TEXT PRIMARY KEY, magic TEXT NOT NULL, brand TEXT NOT NULL, last4 TEXT NOT NULL, country TEXT NOT NULL,
    expiry_month INTEGER NOT NULL, expiry_year INTEGER NOT NULL,
    cured INTEGER NOT NULL DEFAULT 0, forgotten INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE spent_codes (token TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE payments (
    id INTEGER PRIMARY KEY, payment_id TEXT NOT NULL, attempt INTEGER NOT NULL, takes INTEGER NOT NULL,
    card TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL, code TEXT,
    held_at INTEGER NOT NULL, captured INTEGER NOT NULL, captured_at INTEGER
);
CREATE INDEX payments_ours ON payments (payment_id, attempt);
CREATE INDEX payments_captured ON payments (captured_at) WHERE captured_at IS NOT NULL;
CREATE INDEX payments_held ON payments (id) WHERE state = 'authorized';
CREATE TABLE refunds (
    id INTEGER PRIMARY KEY, refund_id TEXT NOT NULL, payment INTEGER NOT NULL, amount INTEGER NOT NULL,
    state TEXT NOT NULL, code TEXT, due_at INTEGER, becomes TEXT, succeeded_at INTEGER, failed_at INTEGER
);
CREATE INDEX refunds_payment ON refunds (payment);
CREATE INDEX refunds_pending ON refunds (due_at) WHERE state = 'pending';
CREATE TABLE disputes (
    id INTEGER PRIMARY KEY, payment INTEGER NOT NULL, amount INTEGER NOT NULL, state TEXT NOT NULL,
    opened_at INTEGER NOT NULL, closed_at INTEGER
);
CREATE INDEX disputes_payment ON disputes (payment);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, step TEXT NOT NULL, payment_id TEXT, attempt INTEGER,
    key TEXT NOT NULL, content BLOB, remembered INTEGER NOT NULL, fault TEXT,
    answer TEXT, code TEXT, object INTEGER, amount INTEGER, captured INTEGER
);
CREATE INDEX calls_key ON calls (key);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY, due_at INTEGER NOT NULL, kind TEXT NOT NULL, payment_id TEXT NOT NULL,
    attempt INTEGER NOT NULL
);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, kind TEXT NOT NULL, code TEXT, payment_id TEXT,
    skip INTEGER NOT NULL, times INTEGER, after INTEGER NOT NULL, becomes TEXT, seed INTEGER, rate REAL
);
"""


class SandboxFile:
    """One connection; as a context manager a transaction that no thread and no other process comes between."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # what stands beside it takes over these permissions
        self._lock, self._depth = RLock(), 0
        self._connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        if path is not None:
            self._share()
        self._connection.execute("PRAGMA synchronous = OFF")  # it outlives our processes, not the machine
        with self as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise RuntimeError(f"{path} is of another version of the sandbox: remove it")

    def _share(self) -> None:
        """Lets readers and a writer work beside each other; SQLite does not wait by itself where two ask for it."""
        until = time.monotonic() + BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
        except BaseException:
            self._lock.release()
            raise
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._connection.close()
