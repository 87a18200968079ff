"""What every command says: for which organization, by whom, and under which id."""

import functools
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, ConfigDict, PrivateAttr, field_validator, model_validator

from domain.envelope import Role
from domain.kernel import Value
from domain.organization import CATALOG
from services.card_guard import refuse_card_data

FINGERPRINT_VERSION = b"\x01"


def storable(text: str) -> str:
    """Refuses what no database stores as text: the NUL character and lone surrogates."""
    if "\0" in text:
        raise ValueError("text must not contain the NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text must be valid Unicode") from None
    return text


Text = Annotated[str, AfterValidator(storable)]


class Actor(Value):
    """Who acts, by a pseudonymous id, in which role. Adapters vouch for the identity, services check the role."""

    id: UUID
    role: Role
    on_behalf_of: UUID | None = None


class Command(Value):
    """A wish, frozen. The same id with the same content is carried out once, for ever."""

    model_config = ConfigDict(hide_input_in_errors=True)  # it may be personal, and errors are logged

    ADDRESS: ClassVar = {"command_id", "correlation_id", "causation_id", "if_versions"}

    _recorded_fingerprint: bytes | None = PrivateAttr(default=None)

    organization_id: UUID
    command_id: UUID
    actor: Actor
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    if_versions: Mapping[UUID, int] | None = None
    """Only where these aggregates, of those it decides on, are at the versions that the caller has seen."""

    @model_validator(mode="before")
    @classmethod
    def _without_card_data(cls, given: Any) -> Any:
        """Looks at what was sent before anything is made of it: it is refused before it is logged, hashed or stored."""
        refuse_card_data(given)
        return given

    @property
    def name(self) -> str:
        return name_of(type(self))

    def new_id(self, role: str) -> UUID:
        """The id of something that this command brings about: the same at every attempt."""
        return uuid5(self.organization_id, f"{self.command_id}:{role}")

    def begun(self) -> Self:
        """The command once its first step is recorded: what the caller has seen before no longer counts."""
        return self.model_copy(update={"if_versions": None}) if self.if_versions else self

    def as_recorded(self, fingerprint: bytes | None) -> Self:
        """The command that history knows under this id, put together again from what it told."""
        again = self.model_copy()
        again._recorded_fingerprint = fingerprint  # noqa: SLF001 - its own
        return again

    def fingerprint(self, key: bytes) -> bytes:
        """A keyed hash of the fields that the caller set: short secrets in them cannot be guessed from it."""
        if self._recorded_fingerprint is not None:
            return self._recorded_fingerprint
        content = self.model_dump(mode="json", exclude_unset=True, exclude=self.ADDRESS)
        text = json.dumps([self.name, content], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return FINGERPRINT_VERSION + hmac.digest(key, text.encode(), hashlib.sha256)


@functools.cache
def name_of(kind: type[Command]) -> str:
    """How a kind of command is called in history."""
    return re.sub(r"(?<=.)([A-Z])", r"_\1", kind.__name__).lower()


class CatalogCommand(Command):
    """A wish about the catalog; told in the catalog's own history and in no other organization's."""

    @field_validator("organization_id")
    @classmethod
    def _the_catalogs_own(cls, organization_id: UUID) -> UUID:
        if organization_id != CATALOG:
            raise ValueError(f"the catalog belongs to the organization {CATALOG}")
        return organization_id
