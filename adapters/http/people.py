"""People as the API shows them: an id, and the names that the caller may know."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from pydantic import BaseModel

from domain.personal import Purpose


class Person(BaseModel):
    """A member, by the names that the caller may know."""

    member_id: UUID
    user_name: str | None = None
    display_name: str | None = None


def person(member_id: UUID, names: Mapping[UUID, Mapping[Purpose, str]]) -> Person:
    details = names.get(member_id, {})
    return Person(member_id=member_id, user_name=details.get("user_name"), display_name=details.get("display_name"))
