"""Names of people, joined where they are shown: what is recorded knows them by ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.cli.failure import REFUSED, Failure, one_line

if TYPE_CHECKING:
    from adapters.composition import House
    from domain.refusals import Refusal

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def user_names(house: House, organization_id: UUID, member_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The user names of members; who was erased is not among them."""
    details = house.directory.details(organization_id, list(dict.fromkeys(member_ids)))
    return {member_id: named["user_name"] for member_id, named in details.items() if "user_name" in named}


def with_user_names(refusal: Refusal, names: Mapping[UUID, str]) -> Failure:
    """A refusal as the person reads it: names that were typed in place of the members' ids; programs get both.

    Others are not looked up: whoever asks for an id would be told who it is.
    """
    message, facts = str(refusal), dict(refusal.facts)
    ids = [UUID(found) for found in ID.findall(message)]
    for member_id, name in names.items():
        message = message.replace(str(member_id), name)
    if named := {str(member_id): names[member_id] for member_id in ids if member_id in names}:
        facts["user_names"] = named
    return Failure(REFUSED, refusal.code, one_line(message), facts)
