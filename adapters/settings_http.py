"""What an operator may set of the HTTP API: whose tokens it trusts, where it listens, and how much it takes on."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

PERMITTED_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Signatures that only the issuer can make: with HS256, whoever can check a token could also make one."""

_ONE_RATE = re.compile(r"[1-9][0-9]{0,8} ?(/|per) ?([1-9][0-9]{0,3} ?)?[a-z]+")


class HttpSettings(BaseSettings):
    """The part of the settings that the HTTP API reads."""

    oidc_issuer: str | None = None
    """The OpenID Connect issuer whose tokens are accepted, exactly as it writes itself in `iss`; unset: none."""
    oidc_audience: str = Field(default="seatledger", min_length=1)
    """What `aud` of a token must name."""
    oidc_algorithms: Annotated[tuple[str, ...], NoDecode] = ("RS256", "ES256", "EdDSA")
    """With commas between; of the asymmetric ones."""
    oidc_jwks_url: str | None = None
    """Where the issuer's keys are; unset: where `<issuer>/.well-known/openid-configuration` says."""
    oidc_organization_claim: str = Field(default="organization", min_length=1)
    """The claim that names a member's organization by its handle."""
    oidc_user_claim: str = Field(default="preferred_username", min_length=1)
    """The claim with a member's user name."""
    oidc_roles_claim: str = Field(default="roles", min_length=1)
    """The claim with the roles `seatledger.operator` and `seatledger.service`: a list."""
    development: bool | None = None
    """Whether tokens of `seatledger dev-token` are accepted; unset: with an embedded database and without an issuer."""
    api_host: str = Field(default="127.0.0.1", pattern=r"^[^\s/]+$")
    """The address that the API listens on."""
    api_port: int = Field(default=8080, ge=0, le=65535)
    """0: any that is free."""
    api_concurrency: int = Field(default=32, ge=1, le=1000)
    """Requests worked on at a time."""
    api_rate_per_key: str = "600/minute"
    """How often one user or one API key may ask: a number per second, minute, hour or day."""
    api_rate_per_organization: str = "3000/minute"
    """How often all members of an organization together may ask."""

    @property
    def api_address(self) -> str:
        """Where the API answers, as a URL."""
        return address_of(self.api_host, self.api_port)

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _cannot_be_played_by_others(cls, value: str | None) -> str | None:
        if value is not None and not is_trustworthy(value):
            raise ValueError("must be an https URL without user and fragment (http: on this machine only)")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _says_where_its_configuration_is(cls, value: str | None) -> str | None:
        if value is not None and "?" in value:
            raise ValueError("must have no query")
        return value

    @field_validator("oidc_algorithms", mode="before")
    @classmethod
    def _as_a_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("oidc_algorithms")
    @classmethod
    def _can_be_signed_by_the_issuer_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= set(PERMITTED_ALGORITHMS):
            raise ValueError(f"must be some of {','.join(PERMITTED_ALGORITHMS)}, with commas between")
        return value

    @field_validator("api_rate_per_key", "api_rate_per_organization")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        from limits import parse

        try:
            if not _ONE_RATE.fullmatch(value):
                raise ValueError  # noqa: TRY301 - also of what the library makes something of
            parse(value)
        except ValueError:
            raise ValueError("must be a number per second, minute, hour or day, such as 600/minute") from None
        return value

    @model_validator(mode="after")
    def _trusts_one_issuer(self) -> Self:
        if self.oidc_issuer is None and self.oidc_jwks_url is not None:
            raise ValueError("SEATLEDGER_OIDC_JWKS_URL is set without SEATLEDGER_OIDC_ISSUER; set both")
        if self.oidc_issuer is not None and self.development:
            raise ValueError(
                "SEATLEDGER_DEVELOPMENT must not be true where SEATLEDGER_OIDC_ISSUER is set: two issuers would be"
                " trusted; keep one"
            )
        return self


def is_trustworthy(url: str) -> bool:
    """Whether what answers there is who it says: by https, or on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    if "#" in url or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(host: str, port: int) -> str:
    """The address as a URL."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
