"""Where something can be sent: every place in the path, the query and the body that the OpenAPI document knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.system.http.requests import DOCUMENT, Operation, Request

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """`in_` is path, query or body; `steps` lead there, and `schemas` are what may stand there."""

    in_: str
    steps: Steps
    schemas: tuple[Mapping[str, Any], ...] = field(compare=False)

    def __str__(self) -> str:
        return f"{self.in_}: {'/'.join(map(str, self.steps)) or 'all of it'}"

    @property
    def is_id(self) -> bool:
        return any(one.get("format") == "uuid" for one in self.schemas)

    @property
    def is_text(self) -> bool:
        return any(one.get("type") == "string" or "const" in one or "enum" in one for one in self.schemas)

    @property
    def is_object(self) -> bool:
        return any("properties" in one for one in self.schemas)

    @property
    def names(self) -> set[str]:
        """What an object here may have in it."""
        return {name for one in self.schemas for name in one.get("properties", ())}

    def get(self, request: Request) -> Any:
        """What a request has here; None: nothing."""
        found: Any = vars(request)[self.in_]
        for step in self.steps:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def put(self, request: Request, value: Any) -> Request:
        """The request with something else here; what leads there is made where it is missing."""
        return Request(**{**vars(request), self.in_: put(deepcopy(vars(request)[self.in_]), self.steps, value)})


def put(document: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    step, *more = steps
    if isinstance(step, int):
        kept = list(document or [None])
        kept[step] = put(kept[step], tuple(more), value)
        return kept
    return {**(document or {}), step: put((document or {}).get(step), tuple(more), value)}


def places_of(operation: Operation) -> Iterator[Place]:
    for in_ in ("path", "query"):
        for name, schema in operation.parameters(in_).items():
            yield Place(in_, (name,), tuple(options(schema)))
    if operation.body is not None:
        yield from places_in(operation.body, ())


def places_in(schema: Mapping[str, Any], steps: Steps) -> Iterator[Place]:
    """The place of a schema in a body, and all within it."""
    schemas = tuple(options(schema))
    yield Place("body", steps, schemas)
    for one in schemas:
        for name, inner in one.get("properties", {}).items():
            yield from places_in(inner, (*steps, name))
        if "items" in one:
            yield from places_in(one["items"], (*steps, 0))


def options(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema without its references and alternatives."""
    if "$ref" in schema:
        yield from options(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from options(one)
    else:
        yield schema
