"""The parameters that say as of when: as we knew it, and as it was."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from adapters.http.bad_request import BadRequest
from domain.as_of import AsOf

POSITION = re.compile(r"[0-9]{1,18}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)

EITHER, TIME_ALONE = f"^({POSITION.pattern}|{MOMENT.pattern})$", f"^{MOMENT.pattern}$"
At = Annotated[
    str | None,
    Query(
        max_length=40,
        description="As we knew it: up to a position of history, or to a time of recording such as 2025-08-01T14:30Z.",
        json_schema_extra={"pattern": EITHER},
    ),
]
Effective = Annotated[
    str | None,
    Query(
        max_length=40,
        description="As it was: what had taken effect by a time such as 2025-08-01T00:00Z, whenever it was recorded.",
        json_schema_extra={"pattern": TIME_ALONE},
    ),
]


def as_of(at: str | None, effective: str | None, *, names: tuple[str, str] = ("at", "effective")) -> AsOf:
    """The moment that a request says; refuses where it says none."""
    if at is None and effective is None:
        raise BadRequest(
            "bad_parameter",
            f"say as of when: {names[0]} for how it was known then, {names[1]} for how it was then",
            where=names[0],
        )
    return moment_of(at, effective, names=names)


def moment_of(at: str | None, effective: str | None, *, names: tuple[str, str] = ("at", "effective")) -> AsOf:
    """The moment that a request says: now, where it says none."""
    return AsOf(
        known=None if at is None else position_or_time(at, names[0]),
        effective_at=None if effective is None else time_of(effective, names[1]),
    )


def position_or_time(text: str, where: str) -> int | datetime:
    if POSITION.fullmatch(text):
        return int(text)
    if (time := time_in(text)) is not None:
        return time
    raise BadRequest("bad_parameter", "send a position, or a time with its zone: 2025-08-01T14:30:00Z", where=where)


def time_of(text: str, where: str) -> datetime:
    if (time := time_in(text)) is not None:
        return time
    raise BadRequest("bad_parameter", "send a time with its zone: 2025-08-01T14:30:00Z", where=where)


def time_in(text: str) -> datetime | None:
    try:
        return TIME.validate_python(text) if MOMENT.fullmatch(text) else None
    except ValidationError:
        return None
