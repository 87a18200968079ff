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


def seen_in(if_match: str) -> tuple[int, ...] | None:
    """The versions that a caller has seen, by their tag; None: `*`, whatever there is.

    Raises BadRequest where it is none of our tags.
    """
    if if_match.strip() == ANY:
        return None
    found = TAG.fullmatch(if_match.strip())
    if found is None:
        raise malformed()
    return tuple(int(version) for version in found[1].split("-"))


def versions_of(ids: Sequence[UUID], seen: tuple[int, ...] | None) -> Mapping[UUID, int] | None:
    """What was seen of the aggregates that a change decides on; a tag may tell of more of them."""
    if seen is None:
        return None
    if len(seen) < len(ids):
        raise malformed()
    return dict(zip(ids, seen, strict=False))


def malformed() -> BadRequest:
    remedy = "send the ETag of the answer that you looked at, or *"
    return BadRequest("if_match_malformed", remedy, where="If-Match")
