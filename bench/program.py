"""One side of a contest as a program of its own: settings as its argument, a job a line in, a score a line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, TypeAlias

Settings: TypeAlias = dict[str, Any]
Job: TypeAlias = dict[str, Any]


class Score(NamedTuple):
    """How much was done in how long."""

    done: int
    seconds: float


Work: TypeAlias = Callable[[Job], Score]


def serve(prepare: Callable[[Settings], AbstractContextManager[Work]]) -> None:
    """Prepares once, says so, and then carries out jobs until there are none."""
    with os.fdopen(os.dup(1), "w", buffering=1) as answers:
        os.dup2(2, 1)  # whatever a library prints is no score
        with prepare(json.loads(sys.argv[1])) as work:
            answers.write("ready\n")
            for line in sys.stdin:
                answers.write(json.dumps(work(json.loads(line))) + "\n")
