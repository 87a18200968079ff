"""The public keys of an issuer: read when needed, kept while it is away, and never read at a caller's pace."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPRedirectHandler, ProxyHandler, Request, build_opener

import structlog

from adapters.http.jwk import PublicKey, public_keys
from adapters.http.principal import Unauthorized
from adapters.settings_http import is_loopback, is_trustworthy

FRESH_S = 300.0  # after that keys are read again: a key that was withdrawn is refused from then on
KEPT_S = 24 * 3600.0  # how long keys are used while the issuer does not answer
PAUSE_S = 30.0  # between two reads, whatever tokens ask for
FIRST_PAUSE_S = 5.0  # the same, while there are no keys at all
TIMEOUT_S = 5.0  # of one document
WAIT_S = 2.0  # for keys that another thread is reading
LONGEST_DOCUMENT = 512 * 1024
_PART = 64 * 1024

log = structlog.get_logger("seatledger.api")


class KeysNotRead(Exception):
    """Why the issuer's keys could not be read."""


@dataclass(frozen=True)
class _Held:
    keys: tuple[PublicKey, ...]
    read_at: float

    def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """The key of that name, or the only one, where a token names none."""
        fitting = [key for key in self.keys if algorithm in key.algorithms]
        if key_id is not None:
            return next((key for key in fitting if key.key_id == key_id), None)
        return fitting[0] if len(fitting) == 1 else None


class IssuerKeys:
    """The public keys of one issuer, for all threads of a process."""

    def __init__(
        self,
        issuer: str,
        jwks_url: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._jwks_url = issuer, jwks_url
        self._timeout_s, self._clock = timeout_s, clock
        self._held: _Held | None = None
        self._next_read_at = clock()
        self._lock = threading.Lock()

    def find(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """Finds the key for a token's header; raises Unauthorized where there are no keys to look among."""
        held = self._held
        if held is None or self._age_of(held) >= FRESH_S:
            held = self._read_after(held)
        found = held.find(key_id, algorithm)
        if found is None and self._clock() >= self._next_read_at:  # the issuer may have a new one
            found = self._read_after(held, needed=True).find(key_id, algorithm)
        return found

    def _age_of(self, held: _Held) -> float:
        return self._clock() - held.read_at

    def _read_after(self, held: _Held | None, *, needed: bool = False) -> _Held:
        """Reads newer keys than these, unless another thread did, or it is too early; gives what there is then."""
        wait_s = WAIT_S if needed or held is None or self._age_of(held) >= KEPT_S else 0
        if self._lock.acquire(timeout=wait_s):
            try:
                if self._held is held and self._clock() >= self._next_read_at:
                    self._read()
            finally:
                self._lock.release()
        elif wait_s:
            raise _unavailable()
        latest = self._held
        if latest is None or self._age_of(latest) >= KEPT_S:
            raise _unavailable()
        return latest

    def _read(self) -> None:
        try:
            self._held = _Held(self._fetch_keys(), self._clock())
        except KeysNotRead as error:
            log.warning("issuer_keys_not_read", why=str(error), kept=self._held is not None)
        self._next_read_at = self._clock() + (PAUSE_S if self._held else FIRST_PAUSE_S)

    def _fetch_keys(self) -> tuple[PublicKey, ...]:
        keys = public_keys(self._fetch(self._jwks_url or self._discovered_url()))
        if not keys:
            raise KeysNotRead("there is no key among them that can be used")
        return keys

    def _discovered_url(self) -> str:
        """Where the issuer says that its keys are; it must be the issuer that we mean."""
        found = self._fetch(self._issuer.removesuffix("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            raise KeysNotRead("the configuration is another issuer's; write SEATLEDGER_OIDC_ISSUER exactly as it does")
        url = found.get("jwks_uri")
        if not isinstance(url, str) or not is_trustworthy(url):
            raise KeysNotRead("jwks_uri of the configuration is no https URL")
        return url

    def _fetch(self, url: str) -> dict[str, Any]:
        """Reads a JSON document, within a time and a length."""
        handlers: list[BaseHandler] = [_NoRedirects()]
        if is_loopback(urlsplit(url).hostname or ""):
            handlers.append(ProxyHandler({}))  # a proxy would look on its own machine
        request = Request(url, headers={"Accept": "application/json", "User-Agent": "seatledger"})  # noqa: S310 - checked
        deadline = time.monotonic() + self._timeout_s
        text = bytearray()
        try:
            with build_opener(*handlers).open(request, timeout=self._timeout_s) as answer:
                while part := answer.read1(_PART):
                    text += part
                    if len(text) > LONGEST_DOCUMENT:
                        raise KeysNotRead("the document is too long")
                    if time.monotonic() > deadline:
                        raise KeysNotRead("the document takes too long")
            document = json.loads(text)
        except HTTPError as error:
            error.close()
            raise KeysNotRead(f"it answers {error.code}") from None
        except (OSError, HTTPException) as error:
            raise KeysNotRead(f"it does not answer ({type(error).__name__})") from None
        except (ValueError, RecursionError):
            raise KeysNotRead("the document is no JSON") from None
        if not isinstance(document, dict):
            raise KeysNotRead("the document is no JSON object")
        return document


class _NoRedirects(HTTPRedirectHandler):
    """What is elsewhere is not what the settings trust."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _unavailable() -> Unauthorized:
    return Unauthorized("issuer_unavailable", "the issuer of tokens does not answer; try again in a few seconds")
