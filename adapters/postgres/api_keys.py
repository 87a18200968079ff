"""The API keys of services and operators: made here, looked up at each request, revoked and never deleted.

A key reads `sl_<key id>_<secret>`. Only the secret's sha256 is stored: 32 random bytes need no slow hash.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, Self
from uuid import UUID, uuid4

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.pool import Pool
from adapters.postgres.session import APP, session
from domain.refusals import NotFound

KeyRole = Literal["service", "operator"]

KEY_ID = re.compile(r"[0-9a-f]{12}")
COLUMNS = "key_id, role, label, actor_id, created_at, expires_at, revoked_at, secret_sha256"
CREATE = (
    "INSERT INTO api.keys (key_id, role, label, actor_id, expires_at, secret_sha256)"
    f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}"
)
FIND = f"SELECT {COLUMNS} FROM api.keys WHERE key_id = %s"
LIST = f"SELECT {COLUMNS} FROM api.keys ORDER BY created_at, key_id"
REVOKE = f"UPDATE api.keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = %s RETURNING {COLUMNS}"


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key."""

    key_id: str
    role: KeyRole
    label: str
    actor_id: UUID  # who acts with it, in history
    created_at: datetime
    expires_at: datetime | None  # from this instant on it is not accepted
    revoked_at: datetime | None
    secret_sha256: bytes = field(repr=False)

    def text(self, secret: str) -> str:
        """The key as its holder sends it."""
        return f"sl_{self.key_id}_{secret}"


class ApiKeys:
    """The table of keys, on connections of its own. For several threads; `role`: `session.API` can only look."""

    def __init__(self, url: str, *, role: str = APP, pool_size: int = 2, wait_s: float = 5.0) -> None:
        self._pool = Pool(
            session(url, role=role, name="seatledger keys", TimeZone="UTC"), size=pool_size, wait_s=wait_s
        )

    def create(self, role: KeyRole, label: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
        """A new key, and its secret: this is the only time that anybody sees it."""
        secret = secrets.token_urlsafe(32)
        values = (secrets.token_hex(6), role, label, uuid4(), expires_at, hash_of(secret))
        ((*row,),) = self._rows(CREATE, values)
        return ApiKey(*row), secret

    def find(self, key_id: str) -> ApiKey | None:
        """The key of this id, whether or not it is accepted."""
        rows = self._rows(FIND, (key_id,)) if KEY_ID.fullmatch(key_id) else []
        return ApiKey(*rows[0]) if rows else None

    def list(self) -> Sequence[ApiKey]:
        """All keys, oldest first, those too that are revoked."""
        return [ApiKey(*row) for row in self._rows(LIST, ())]

    def revoke(self, key_id: str) -> ApiKey:
        """Ends a key now; one that was revoked before stays as it is. Raises NotFound."""
        rows = self._rows(REVOKE, (key_id,)) if KEY_ID.fullmatch(key_id) else []
        if not rows:
            raise NotFound(what="API key", key=key_id)
        return ApiKey(*rows[0])

    def _rows(self, query: str, parameters: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        with unavailable_is_told(), self._pool.connection() as connection:
            return connection.execute(query.encode(), parameters, prepare=True, binary=True).fetchall()

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def matches(key: ApiKey, secret: str, now: datetime) -> bool:
    """Whether this is the key's secret and the key is accepted; a wrong secret takes as long as the right one."""
    right = hmac.compare_digest(hash_of(secret), key.secret_sha256)
    return right and key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def hash_of(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "backslashreplace")).digest()
