"""A sealer in a process of its own, and one that dies at a point of its work."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adapters.postgres.seal_session import SealSession
from adapters.postgres.tree import Sealed
from adapters.proof.seal_folder import SealFolder
from adapters.workers.sealer import SealerSettings, run
from tests.adapters.proof.sealing import NEVER

POINTS: dict[str, tuple[type, str]] = {
    "numbering": (SealSession, "extend"),
    "signing": (SealFolder, "signed"),
    "storing": (SealSession, "keep"),
    "publishing": (SealFolder, "publish"),
    "telling": (SealSession, "published"),
    "writing": (os, "fsync"),  # type: ignore[dict-item]
}


def told_in(journal: Path) -> Callable[[Sequence[Sealed]], None]:
    """Stands for the topic: what it has it keeps."""

    def send(checkpoints: Sequence[Sealed]) -> None:
        with journal.open("a", encoding="utf-8") as file:
            file.writelines(f"{one.note!r}\n" for one in checkpoints)

    return send


def seal_until_killed(url: str, folder: Path, journal: Path, point: str = "", calls: int = 0) -> None:
    """Seals without a pause; dies before or after a call by turns: before the odd ones, after the even ones."""
    if point:
        place, name = POINTS[point]
        original = getattr(place, name)
        made = 0

        def deadly(*arguments: Any, **named: Any) -> Any:
            nonlocal made
            made += 1
            if made * 2 - 1 == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = original(*arguments, **named)
            if made * 2 == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        setattr(place, name, deadly)
    settings = SealerSettings(url, SealFolder(folder), send=told_in(journal), every_s=0.002, pace=NEVER, standby_s=0.01)
    raise SystemExit(int(run(settings, threading.Event())))
