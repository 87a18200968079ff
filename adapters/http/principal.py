"""Who calls, as far as the bearer token says it, or why that cannot be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

Kind = Literal["member", "operator", "service"]
HouseRole = Literal["operator", "service"]
Reason = Literal["token_missing", "token_malformed", "token_expired", "token_not_accepted", "issuer_unavailable"]


@dataclass(frozen=True)
class Principal:
    """Who calls: a member, named by organization and user, or one of the house's own, who have an id."""

    kind: Kind
    actor_id: UUID | None  # none for a member: the directory of the organization knows it
    organization: str | None  # the handle; none for the house's own
    user_name: str | None = field(repr=False)  # personal
    key: str  # always the same for the same caller, and tells nothing: for rate limits and logs


class Unauthorized(Exception):
    """Nobody is known to call; says what to do, and repeats nothing of the token.

    `issuer_unavailable` is no verdict on the token: it can be sent again.
    """

    def __init__(self, code: Reason, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Accepted:
    """A token that was accepted, and until when that may be remembered (seconds since 1970)."""

    principal: Principal
    until: float


class TokenReader(Protocol):
    """Reads tokens of one kind."""

    def read(self, token: str) -> Accepted:
        """Tells whose token it is; raises Unauthorized. May wait for a database or an issuer."""
