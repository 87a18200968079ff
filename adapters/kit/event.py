"""An event as a consumer gets it: the attributes of its CloudEvent, and its content as the public model of its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from pydantic_core import from_json

from adapters.kafka.cloud_event import key_of, partition_of
from adapters.kafka.public_events import OPAQUE_TYPE, SKIPPED_TYPE
from adapters.kafka.public_values import DECLARED, LATER, PublicEvent
from adapters.kit.stops import MessageRefused

PREFIX = "seatledger."
MODELS: dict[str, type[PublicEvent]] = {
    kind.name: kind.model for types in (DECLARED, *LATER.values()) for kind in types.values()
}
"""The model of each public type that this version knows, of any edition of the topic."""


@dataclass(frozen=True)
class Event:
    """Something that happened in an organization.

    `position` rises over all organizations, with gaps; `sequence` is 1, 2, 3, … within one. `time` is when it was
    decided, `effective_at` when it takes effect.
    """

    id: UUID
    source: str
    type: str
    organization_id: UUID
    subject: UUID
    position: int
    sequence: int
    time: datetime
    effective_at: datetime
    actor_role: str
    command_id: UUID
    command_index: int
    command_count: int
    correlation_id: UUID
    causation_id: UUID | None
    chain_hash: str
    partition: int
    where: str = field(compare=False)  # the source had it, for people
    attributes: Mapping[str, str] = field(repr=False, compare=False)
    content: bytes = field(repr=False, compare=False)

    @property
    def is_opaque(self) -> bool:
        """Whether it is only a place in the sequence: what happened is not public."""
        return self.type == OPAQUE_TYPE.name

    @property
    def is_skipped(self) -> bool:
        """Whether an operator sent it in the place of an event that could not go out: what happened is lost to us."""
        return self.type == SKIPPED_TYPE.name

    @property
    def is_known(self) -> bool:
        """Whether this version has a model of its type."""
        return self.type in MODELS

    @cached_property
    def data(self) -> PublicEvent | dict[str, Any]:
        """The public model of its type; a dict where this version does not know the type.

        Fields that this version does not know are left out. Raises ValidationError where the content is none of the
        type: the event is then as any other that cannot be handled.
        """
        model = MODELS.get(self.type)
        if model is None:
            found: dict[str, Any] = from_json(self.content)
            return found
        return model.model_validate_json(self.content, by_alias=False, by_name=True)

    @classmethod
    def of(cls, attributes: Mapping[str, str], content: bytes, where: str) -> Self:
        """From the attributes of a CloudEvent, by their names there; raises MessageRefused, with the place."""
        kind = attributes.get("type", "")
        if attributes.get("specversion") != "1.0" or not kind.startswith(PREFIX):
            raise MessageRefused(where, "it is no CloudEvent of a ledger")
        try:
            organization_id = UUID(attributes["organizationid"])
            causation_id = attributes.get("causationid")
            told = cls(
                id=UUID(attributes["id"]),
                source=attributes["source"],
                type=kind,
                organization_id=organization_id,
                subject=UUID(attributes["subject"]),
                position=int(attributes["position"]),
                sequence=int(attributes["sequence"]),
                time=datetime.fromisoformat(attributes["time"]),
                effective_at=datetime.fromisoformat(attributes["effectiveat"]),
                actor_role=attributes["actorrole"],
                command_id=UUID(attributes["commandid"]),
                command_index=int(attributes["commandindex"]),
                command_count=int(attributes["commandcount"]),
                correlation_id=UUID(attributes["correlationid"]),
                causation_id=UUID(causation_id) if causation_id else None,
                chain_hash=attributes["chainhash"],
                partition=partition_of(key_of(organization_id)),
                where=where,
                attributes=attributes,
                content=content,
            )
        except KeyError as absent:
            raise MessageRefused(where, f"it says no {absent.args[0]}") from None
        except ValueError:
            raise MessageRefused(where, "an attribute of it cannot be read") from None
        if attributes.get("datasha256") != sha256(content).hexdigest():
            raise MessageRefused(where, "its content is not what was sent")
        return told
