"""Answers: what a command did, a page of rows, one thing with its tag; each says at which position it is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.responses import Response

from adapters.http.call import Call
from adapters.http.events import CloudEvent, cloud_event
from services.ports import Receipt

T = TypeVar("T")
D = TypeVar("D", bound="Done")

POSITION, REPLAYED = "Seatledger-Position", "Idempotency-Replayed"
JSON = "application/json"


class Body(BaseModel):
    """What a caller sends: nothing that is not asked for, and nothing of it in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """The fields that the caller set, as they are, nested values included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Done(BaseModel):
    """What a command did. A repeat gets the same answer, byte for byte."""

    command_id: UUID
    position: int = Field(description="Of the last event; queries with `at_least` this position know of it.")
    sequence: int = Field(description="Of the last event within the organization's own stream.")
    events: list[CloudEvent] = Field(description="What was told because of it, as Kafka carries it; none: it was so.")


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="The cursor of the next page; none: this is the last.")


def done(
    call: Call,
    receipt: Receipt,
    kind: type[D],
    *,
    status: int = 200,
    location: str | None = None,
    earlier: Sequence[Receipt] = (),
    **facts: Any,
) -> Response:
    """The answer to a command, made of what history says about it and of nothing that can change.

    `earlier` are the receipts of its steps before the last one.
    """
    told = [event for one in (*earlier, receipt) for event in told_by(call, one)]
    source = call.house.source
    answer = kind(
        command_id=call.command_id,
        position=receipt.position,
        sequence=receipt.organization_seq,
        events=[cloud_event(event, source) for event in told],
        **facts,
    )
    headers = {POSITION: str(receipt.position)}
    if receipt.repeated:
        headers[REPLAYED] = "true"
    if location is not None:
        headers["Location"] = location
    return Response(answer.model_dump_json(), status, headers, JSON)


def told_by(call: Call, receipt: Receipt) -> Sequence[Any]:
    """The recorded events of a command."""
    if not receipt.events:
        return []
    last = receipt.organization_seq
    return call.house.ledger.history.told(call.organization_id, after=last - receipt.events, until=last)


def shown(model: BaseModel, *, tag: str | None = None) -> Response:
    """One thing, or a page."""
    return Response(model.model_dump_json(), 200, {"ETag": tag} if tag is not None else None, JSON)


def listed(items: Sequence[Mapping[str, Any]], following: str | None) -> Response:
    """A page of rows that are of their types already, and are many: they are written down without being made anew."""
    return Response(to_json({"items": items, "next": following}), 200, None, JSON)
