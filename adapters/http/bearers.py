"""The front door: from the `Authorization` header to who calls, remembered so that the second time costs nothing."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from adapters.http.api_key_tokens import PREFIX, ApiKeyRow, ApiKeyTokens
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.http.principal import Accepted, Principal, TokenReader, Unauthorized
from adapters.http.tokens import LONGEST_TOKEN, OidcTokens
from adapters.settings import Settings

MOST_REMEMBERED = 10_000

_BEARER = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE)


class Bearers:
    """Reads the `Authorization` header, for all threads of a process; each token by the reader of its shape."""

    def __init__(
        self,
        *,
        jwts: TokenReader,
        api_keys: TokenReader,
        most: int = MOST_REMEMBERED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._jwts, self._api_keys = jwts, api_keys
        self._most, self._clock = most, clock
        # By the token's hash, so that no memory dump holds tokens: from when to when it is good.
        self._remembered: OrderedDict[bytes, tuple[Accepted, float]] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, authorization: str | None) -> Principal | None:
        """Who calls, if that is remembered: never waits, and may be asked on an event loop. Raises Unauthorized."""
        return self._recall(_digest(_token_in(authorization)))

    def read(self, authorization: str | None) -> Principal:
        """Who calls; raises Unauthorized. May wait for a database or an issuer."""
        token = _token_in(authorization)
        digest = _digest(token)
        if (known := self._recall(digest)) is not None:
            return known
        now = self._clock()
        found = (self._api_keys if token.startswith(PREFIX) else self._jwts).read(token)
        self._remember(digest, found, now)
        return found.principal

    def _recall(self, digest: bytes) -> Principal | None:
        now = self._clock()
        with self._lock:
            if (entry := self._remembered.get(digest)) is None:
                return None
            found, since = entry
            if since <= now < found.until:  # a clock that was set back makes nothing good for longer
                self._remembered.move_to_end(digest)
                return found.principal
            del self._remembered[digest]
        return None

    def _remember(self, digest: bytes, found: Accepted, now: float) -> None:
        if found.until <= now:
            return
        with self._lock:
            self._remembered[digest] = found, now
            self._remembered.move_to_end(digest)
            while len(self._remembered) > self._most:
                self._remembered.popitem(last=False)


def bearers_of(settings: Settings, find_api_key: Callable[[str], ApiKeyRow | None]) -> Bearers:
    """The bearers that the settings accept: an issuer's, or those of development, and always API keys."""
    jwts: TokenReader = _NoIssuer()
    if settings.oidc_issuer is not None:
        jwts = OidcTokens(settings, pseudonym_key=settings.fingerprint_secret())
    elif settings.in_development:
        jwts = DevelopmentIssuer(settings.home)
    return Bearers(jwts=jwts, api_keys=ApiKeyTokens(find_api_key))


class _NoIssuer:
    """Where nobody's tokens are trusted."""

    def read(self, token: str) -> Accepted:  # noqa: ARG002 - whatever it says
        raise Unauthorized(
            "token_not_accepted", "no issuer of tokens is trusted here; set SEATLEDGER_OIDC_ISSUER, or send an API key"
        )


def _token_in(authorization: str | None) -> str:
    if authorization is None or not authorization.strip():
        raise Unauthorized("token_missing", "send the header `Authorization: Bearer <token>`")
    if not authorization.strip().lower().startswith("bearer"):
        raise Unauthorized("token_missing", "only bearer tokens are read; send `Authorization: Bearer <token>`")
    if len(authorization) > LONGEST_TOKEN + len("Bearer "):
        raise Unauthorized("token_malformed", f"the token is longer than {LONGEST_TOKEN} characters; get a new one")
    found = _BEARER.fullmatch(authorization.strip())
    if found is None:
        raise Unauthorized("token_malformed", "the header must be `Authorization: Bearer <token>`, with one token")
    return found[1]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
