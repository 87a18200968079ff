"""The end of a process, in the middle of something."""

from collections.abc import Sequence
from uuid import UUID


class Crash(BaseException):
    """The process ends here."""


class EndOfProcess:
    """Holdings that nobody lives to read."""

    def __init__(self, crash: type[BaseException]) -> None:
        self.crash = crash

    def pools_of(self, *_: object, **__: object) -> Sequence[UUID]:
        raise self.crash
