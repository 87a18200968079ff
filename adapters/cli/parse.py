"""What people type, read strictly: dates, times, amounts and ids, each refused with an example."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from uuid import UUID

from adapters.cli.failure import BadInput

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?")
SHORTEST_PREFIX = 8  # of an id


def day_from(text: str, option: str) -> date:
    """A UTC date: 2025-08-01."""
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(f"{option} {text!r} is no date; write it like 2025-08-01")


def moment_from(text: str, option: str) -> datetime:
    """A moment: a time, which is UTC unless it says otherwise, or a date, which means its end."""
    try:
        if DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        if TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise BadInput(f"{option} {text!r} is no time; write it like 2025-08-01 or 2025-08-01T14:30:00Z")


def position_or_moment_from(text: str, option: str) -> int | datetime:
    """A position of the ledger, or a moment."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else moment_from(text, option)


def command_id_from(text: str | None) -> UUID | None:
    """A command's id."""
    if text is None:
        return None
    if (found := uuid_from(text)) is None:
        raise BadInput(f"--command-id {text!r} is no UUID; leave it out for a new one")
    return found


def uuid_from(text: str) -> UUID | None:
    """An id written in full; None: it is something else."""
    try:
        return UUID(text) if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text) else None
    except ValueError:
        return None
