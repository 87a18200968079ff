"""Name: what the members behind some ids are called, for those who may know."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from domain.personal import Purpose
from services.bill_to_shown import ERASED
from services.may import Wish
from services.open_to_auditor import OpenToAuditor
from services.ports import Directory

NAMELESS: Mapping[Purpose, str] = {"user_name": ERASED, "display_name": ERASED}


def name_members(directory: Directory, wish: Wish, ids: Iterable[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
    """The details by member; who was erased reads `[erased]`. Services get none, auditors what a grant opens."""
    wanted = list(dict.fromkeys(ids))
    if wish.actor.role == "service":
        return {}
    if isinstance(directory, OpenToAuditor):
        wanted = [one for one in wanted if directory.opens(one)]
    elif wish.actor.role == "auditor":
        return {}
    if not wanted:
        return {}
    known = directory.details(wish.organization_id, wanted)
    return {one: known.get(one, NAMELESS) for one in wanted}
