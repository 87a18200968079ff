"""Public keys as issuers publish them: what cannot check a signature, or is too weak to, is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

SHORTEST_RSA_BITS = 2048

VerifyingKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

# By kind of key and curve, the algorithms that it can be meant for.
_FITTING: dict[tuple[Any, Any], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
_OTHER_NAMES = {"Ed25519": "EdDSA"}  # RFC 9864


@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are checked with, and by which algorithms."""

    key_id: str | None
    algorithms: frozenset[str]
    key: VerifyingKey


def public_keys(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The usable keys of a JWK Set."""
    members = document.get("keys")
    found = [_public_key(jwk) for jwk in members if isinstance(jwk, dict)] if isinstance(members, list) else []
    return tuple(key for key in found if key is not None)


def _public_key(jwk: dict[str, Any]) -> PublicKey | None:
    """The key, unless it is for something else, secret, weak or broken."""
    key_id, meant_for, use, operations = (jwk.get(name) for name in ("kid", "alg", "use", "key_ops"))
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None) or not isinstance(key_id, str | None):
        return None
    algorithms = frozenset(_FITTING.get((kind, curve), ()))
    if meant_for is not None:
        algorithms &= {_OTHER_NAMES.get(meant_for, meant_for)} if isinstance(meant_for, str) else set()
    for_signatures = use in {None, "sig"} if isinstance(use, str | None) else False
    if isinstance(operations, list) and "verify" not in operations:
        for_signatures = False
    if not algorithms or not for_signatures or "d" in jwk:  # d: a private key that everybody has seen
        return None
    try:
        key = PyJWK(jwk, min(algorithms)).key
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    if isinstance(key, RSAPublicKey):
        return PublicKey(key_id, algorithms, key) if key.key_size >= SHORTEST_RSA_BITS else None
    return PublicKey(key_id, algorithms, key) if isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey) else None
