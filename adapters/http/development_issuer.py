"""The issuer for trying things out: its key lies in the home folder, and only tokens of that key are accepted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4, uuid5

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.http.claims import CALLERS, OPERATOR_ROLE, SERVICE_ROLE, ClaimNames
from adapters.http.jwk import PublicKey
from adapters.http.principal import Accepted, HouseRole
from adapters.http.tokens import accepted, verified_claims
from adapters.settings import SettingsInvalid, kept_secret
from services.command import storable

ISSUER = "https://development.seatledger.invalid"  # a name that nobody can own
AUDIENCE = "seatledger"
KEY_FILE = "development_issuer.key"
LONGEST_HOURS = 30 * 24
_NAMES = ClaimNames()
_ALGORITHM = "EdDSA"


class DevelopmentIssuer:
    """Issues tokens for anybody, and reads its own. Whoever makes one has asked `Settings.in_development` first."""

    def __init__(self, home: Path) -> None:
        try:
            seed = bytes.fromhex(kept_secret(home / KEY_FILE))
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError:
            raise SettingsInvalid(
                f"{KEY_FILE} in SEATLEDGER_HOME is damaged; remove it, and a new one is made"
            ) from None
        self._public = PublicKey(None, frozenset({_ALGORITHM}), self._key.public_key())
        self._pseudonym_key = seed

    def issue(self, organization: str | None, user_name: str | None, role: HouseRole | None, hours: float) -> str:
        """A token for a member, named by organization and user name, or for one of the house's own, by role."""
        if role is None and not (organization and user_name):
            raise ValueError("a member has an organization and a user name")
        if not 0 < hours <= LONGEST_HOURS:
            raise ValueError(f"a token is good for {LONGEST_HOURS} hours at most")
        for text in (organization or "", user_name or ""):
            storable(text)
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + int(hours * 3600)}
        claims["jti"] = str(uuid4())
        if role is None:
            claims |= {"sub": str(uuid5(CALLERS, f"{ISSUER}\n{organization}\n{user_name}"))}
            claims |= {_NAMES.organization: organization, _NAMES.user: user_name}
        else:
            claims |= {"sub": role, _NAMES.roles: [OPERATOR_ROLE if role == "operator" else SERVICE_ROLE]}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Accepted:
        """Tells whose token it is; only this issuer's are accepted."""
        claims = verified_claims(token, self._find, issuer=ISSUER, audience=AUDIENCE, algorithms=(_ALGORITHM,))
        return accepted(claims, _NAMES, self._pseudonym_key)

    def _find(self, _key_id: str | None, _algorithm: str) -> PublicKey:
        return self._public
