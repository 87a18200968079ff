"""Tokens of an OpenID Connect issuer: accepted only when signed by it, for us, and now."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

from adapters.http.claims import ClaimNames, principal_of
from adapters.http.issuer_keys import IssuerKeys
from adapters.http.jwk import PublicKey
from adapters.http.principal import Accepted, Reason, Unauthorized
from adapters.settings import Settings

LEEWAY_S = 60.0  # clocks differ
LONGEST_TOKEN = 8 * 1024
REMEMBERED_S = 300.0  # then a token is checked again: its key may have been withdrawn

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_TIMES = ("exp", "nbf", "iat")

FindKey = Callable[[str | None, str], PublicKey | None]  # by the key's name and the algorithm


class OidcTokens:
    """Reads tokens of the issuer that the settings trust."""

    def __init__(self, settings: Settings, *, pseudonym_key: bytes, keys: IssuerKeys | None = None) -> None:
        if settings.oidc_issuer is None:
            raise ValueError("no issuer is set")
        self._issuer, self._audience = settings.oidc_issuer, settings.oidc_audience
        self._algorithms = settings.oidc_algorithms
        self._names = ClaimNames(settings.oidc_organization_claim, settings.oidc_user_claim, settings.oidc_roles_claim)
        self._pseudonym_key = pseudonym_key
        self._keys = keys or IssuerKeys(settings.oidc_issuer, settings.oidc_jwks_url)

    def read(self, token: str) -> Accepted:
        """Tells whose token it is; may wait for the issuer, a few seconds at most."""
        claims = verified_claims(
            token, self._keys.find, issuer=self._issuer, audience=self._audience, algorithms=self._algorithms
        )
        return accepted(claims, self._names, self._pseudonym_key)


def accepted(claims: dict[str, Any], names: ClaimNames, pseudonym_key: bytes) -> Accepted:
    """Who calls by verified claims, to be remembered no longer than the token is good."""
    principal = principal_of(claims, names, pseudonym_key)
    return Accepted(principal, min(float(claims["exp"]), time.time() + REMEMBERED_S))


def verified_claims(
    token: str, find_key: FindKey, *, issuer: str, audience: str, algorithms: Collection[str]
) -> dict[str, Any]:
    """Checks signature, issuer, audience and times, and gives the claims; raises Unauthorized.

    Of the header only `alg` and `kid` are read: keys that a token brings along (`jwk`, `jku`, `x5u`) mean nothing.
    """
    if len(token) > LONGEST_TOKEN:
        raise _malformed(f"is longer than {LONGEST_TOKEN} characters")
    if not _SHAPE.fullmatch(token):
        raise _malformed("is no JSON Web Token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError):
        raise _malformed("has a header that cannot be read") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if "crit" in header:
        raise _not_accepted("it demands an extension that is not known here")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise _not_accepted("its algorithm is not among those that SEATLEDGER_OIDC_ALGORITHMS permits")
    key = find_key(key_id, algorithm)
    if key is None or algorithm not in key.algorithms:
        raise _not_accepted("the issuer has no key for it")
    try:
        return _JWT.decode(
            token,
            key.key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise _why(error) from None


class _StrictJwt(jwt.PyJWT):
    """Refuses what PyJWT would read in one of several ways: a claim told twice, and times that are no numbers."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        try:
            claims = json.loads(decoded["payload"], object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            raise jwt.DecodeError from None
        if not isinstance(claims, dict):
            raise jwt.DecodeError
        if any(name in claims and type(claims[name]) not in {int, float} for name in _TIMES):
            raise jwt.DecodeError
        return claims


_JWT = _StrictJwt()


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    once = dict(pairs)
    if len(once) != len(pairs):
        raise ValueError
    return once


# The first that fits, from the narrow to the wide.
_REASONS: tuple[tuple[type[Exception], Reason, str], ...] = (
    (jwt.ExpiredSignatureError, "token_expired", "the token has expired; get a new one from the issuer"),
    (jwt.ImmatureSignatureError, "token_not_accepted", "the token is not valid yet; see that the clocks are right"),
    (jwt.InvalidAudienceError, "token_not_accepted", "the token is for somebody else; ask the issuer for one for us"),
    (jwt.InvalidIssuerError, "token_not_accepted", "the token is of another issuer; get one from ours"),
    (jwt.MissingRequiredClaimError, "token_not_accepted", "the token must have the claims exp, iss, aud and sub"),
    (InvalidSubjectError, "token_not_accepted", "the claim sub of the token must be a text"),
    (jwt.InvalidSignatureError, "token_not_accepted", "the token is not signed by the issuer; get a new one"),
    (jwt.DecodeError, "token_malformed", "the token has claims that cannot be read; get a new one from the issuer"),
)


def _why(error: Exception) -> Unauthorized:
    """What is wrong, in words of our own: PyJWT's may repeat a part of the token."""
    for kind, code, message in _REASONS:
        if isinstance(error, kind):
            return Unauthorized(code, message)
    return _not_accepted("it cannot be verified")


def _malformed(why: str) -> Unauthorized:
    return Unauthorized("token_malformed", f"the token {why}; send the one that the issuer gave, unchanged")


def _not_accepted(why: str) -> Unauthorized:
    return Unauthorized("token_not_accepted", f"the token is not accepted: {why}; get a new one from the issuer")
