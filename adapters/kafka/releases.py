"""What a message looked like in the releases before: what was added since is taken away again, release by release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapters.kafka.public_events import OPAQUE_TYPE
from adapters.kafka.public_headers import FIRST, HEADERS
from adapters.kafka.public_values import PublicType


def headers_by_release(today: Mapping[str, str], kind: PublicType) -> Iterator[dict[str, str]]:
    """The headers of a message as each release that differs would have sent it, from those of today, newest first.

    A release had all that was known then and nothing else: never some of the headers that a later one added.
    """
    added = {header.name: header.since for header in HEADERS}
    grew = {FIRST, *added.values(), *([kind.opaque_before] if kind.opaque_before else [])}
    for release in sorted(grew, key=in_order, reverse=True):
        told = {name: value for name, value in today.items() if in_order(added.get(name, FIRST)) <= in_order(release)}
        if kind.opaque_before and in_order(release) < in_order(kind.opaque_before):
            told |= {name: value.decode() for name, value in OPAQUE_TYPE.headers}
        yield told


def in_order(release: str) -> tuple[int, ...]:
    """Releases as they followed: 0.10.0 after 0.9.0."""
    return tuple(int(part) for part in release.split("."))
