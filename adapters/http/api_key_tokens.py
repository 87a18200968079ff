"""API keys of the house's services and operators: `sl_<key id>_<secret>`, compared as hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from adapters.http.principal import Accepted, HouseRole, Principal, Unauthorized

PREFIX = "sl_"
REMEMBERED_S = 5.0  # so long a key may still be accepted after it was revoked, and no longer

_SHAPE = re.compile(r"sl_([A-Za-z0-9-]{1,64})_([A-Za-z0-9_-]{16,256})")
_NO_SECRETS_HASH = bytes(32)


class ApiKeyRow(Protocol):
    """What is kept of an API key; not the key."""

    @property
    def role(self) -> HouseRole: ...

    @property
    def actor_id(self) -> UUID: ...

    @property
    def secret_sha256(self) -> bytes: ...

    @property
    def expires_at(self) -> datetime | None: ...

    @property
    def revoked_at(self) -> datetime | None: ...


class ApiKeyTokens:
    """Reads API keys. What was accepted may be remembered for five seconds: asking the database each time is slow."""

    def __init__(self, find: Callable[[str], ApiKeyRow | None], *, clock: Callable[[], float] = time.time) -> None:
        self._find, self._clock = find, clock

    def read(self, token: str) -> Accepted:
        """Tells whose key it is; an unknown one takes as long as a wrong secret, and is told the same."""
        parts = _SHAPE.fullmatch(token)
        if parts is None:
            raise Unauthorized("token_malformed", "the API key is incomplete; send it as it was shown, sl_ included")
        key_id, secret = parts.groups()
        now = self._clock()  # before the database is asked: what it says is no older
        row = self._find(key_id)
        kept = row.secret_sha256 if row else _NO_SECRETS_HASH
        same = hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), kept)
        if row is None or not same or row.revoked_at is not None:
            raise Unauthorized("token_not_accepted", "the API key is unknown or revoked; ask an operator for a new one")
        until = now + REMEMBERED_S
        if row.expires_at is not None:
            until = min(until, row.expires_at.timestamp())
        if until <= now:
            raise Unauthorized("token_expired", "the API key has expired; ask an operator for a new one")
        return Accepted(Principal(row.role, row.actor_id, None, None, f"api-key:{key_id}"), until)
