"""Name: what the members behind some ids are called, for those who may know."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from domain.envelope import Role
from domain.personal import Purpose
from services.may import Wish
from services.ports import Directory

WITHOUT_NAMES: frozenset[Role] = frozenset({"auditor", "service"})  # no personal data for these


def name_members(directory: Directory, wish: Wish, ids: Iterable[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
    """The details by member; auditors and services get none, and nobody gets erased ones."""
    wanted = list(dict.fromkeys(ids))
    if wish.actor.role in WITHOUT_NAMES or not wanted:
        return {}
    return directory.details(wish.organization_id, wanted)
