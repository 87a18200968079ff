"""Entity tags: the versions of what is shown, so that a change can say on which state it was decided."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from adapters.http.bad_request import BadRequest

TAG = re.compile(r'"([0-9]{1,18}(?:-[0-9]{1,18})*)"')
ANY = "*"


def tag_of(*versions: int) -> str:
    """The tag of something that is shown of aggregates at these versions."""
    return f'"{"-".join(map(str, versions))}"'


def versions_in(if_match: str, ids: Sequence[UUID]) -> Mapping[UUID, int] | None:
    """What the caller has seen of these aggregates, as `If-Match` says it; None: `*`, whatever there is.

    A tag may tell of more aggregates than the change decides on. Raises BadRequest where it is none of ours.
    """
    if if_match.strip() == ANY:
        return None
    found = TAG.fullmatch(if_match.strip())
    versions = [int(version) for version in found[1].split("-")] if found else []
    if len(versions) < len(ids):
        raise BadRequest("if_match_malformed", "send the ETag of the answer that you looked at, or *", where="If-Match")
    return dict(zip(ids, versions, strict=False))
