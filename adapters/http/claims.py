"""From what a verified token claims to who calls; what is odd is refused, and nothing is guessed or mended."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from adapters.http.principal import Principal, Unauthorized
from services.command import storable

OPERATOR_ROLE, SERVICE_ROLE = "seatledger.operator", "seatledger.service"
CALLERS = UUID("5b0e7a4e-60a8-5c53-8a70-96f8a2f2c9d4")  # the namespace of the ids of the house's own


class ClaimNames(NamedTuple):
    """How an issuer calls what we need to know."""

    organization: str = "organization"
    user: str = "preferred_username"
    roles: str = "roles"


def principal_of(claims: Mapping[str, Any], names: ClaimNames, pseudonym_key: bytes) -> Principal:
    """Who calls; the claims are verified, and have an issuer."""
    issuer, subject = claims["iss"], _text(claims, "sub")
    key = pseudonym(issuer, subject, pseudonym_key)
    roles = _roles(claims, names.roles)
    actor_id = uuid5(CALLERS, f"{issuer}\n{subject}")
    if OPERATOR_ROLE in roles:
        return Principal("operator", actor_id, None, None, key)
    if SERVICE_ROLE in roles:
        return Principal("service", actor_id, None, None, key)
    # Handles have no capitals; one that has is another one, which does not exist.
    return Principal("member", None, _text(claims, names.organization), _text(claims, names.user), key)


def pseudonym(issuer: str, subject: str, key: bytes) -> str:
    """A name for a caller from which nobody without the key can tell who it is."""
    return hmac.digest(key, f"caller\n{issuer}\n{subject}".encode(), hashlib.sha256)[:16].hex()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if isinstance(value, str) and value.strip():
        try:
            return storable(value)
        except ValueError:
            pass
    raise _refused(name, "must be a text that says something")


def _roles(claims: Mapping[str, Any], name: str) -> list[str]:
    """The roles. A single text is no list: one could not tell a role from a part of its name."""
    roles = claims.get(name)
    if roles is None:
        return []
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise _refused(name, "must be a list of texts")
    return roles


def _refused(name: str, why: str) -> Unauthorized:
    # The name of the claim is the operator's own setting, or the standard's.
    return Unauthorized("token_not_accepted", f"the claim {name} {why}; ask who runs the issuer to set it")
