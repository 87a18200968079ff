"""What verbs that run on have in common: they end with the one that started them."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Annotated

import typer

LOOK_S = 0.5

# The number of the process that started this one: a worker ends with its supervisor, however that ended.
ParentOption = Annotated[int | None, typer.Option("--parent", hidden=True)]


def end_with(parent: int | None) -> None:
    """Ends this process in good order when the one that started it is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    if parent is not None:
        threading.Thread(target=watch, name="parent", daemon=True).start()
