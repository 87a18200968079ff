"""The operating-system user that runs a server which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTSIDE = Path("/var/lib/seatledger")
"""A folder of ours, as root only, for what the account must reach when the project's folder is closed to it."""

_OURS_ALONE = 0o700

# A server must not read the caller's locale or PG* variables, only what every program needs.
PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class Credentials(TypedDict, total=False):
    """What `subprocess` takes to run a program as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Ourselves, or, when we are root, an ordinary user that exists on every system."""

    uid: int
    gid: int
    credentials: Credentials

    @property
    def is_other(self) -> bool:
        """Whether programs run as somebody else than ourselves."""
        return bool(self.credentials)

    def owns(self, folder: Path) -> None:
        """Makes a new folder of ours the account's own and nobody else's."""
        if self.is_other:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(_OURS_ALONE)

    def keeps_to_itself(self, folder: Path) -> bool:
        """Tells whether a folder is there, is the account's own and nobody else's."""
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == self.uid and stat.S_IMODE(found.st_mode) == _OURS_ALONE

    def can_run(self, command: Sequence[str]) -> bool:
        """Tells by trying whether the account may run a command, and whether it succeeds."""
        try:
            return self.run(command).returncode == 0
        except OSError:
            return False

    def can_enter(self, folder: Path) -> bool:
        """Tells by trying whether the account may walk into a folder."""
        return self.can_run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end as the account; its output is text, both streams in one."""
        return subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=PLAIN_ENVIRONMENT,
            **self.credentials,
        )


def make_outside() -> Path:
    """Makes `OUTSIDE` when it is not there."""
    if not OUTSIDE.exists():
        OUTSIDE.mkdir()
        OUTSIDE.chmod(0o755)
    return OUTSIDE


def unprivileged_account() -> Account:
    """Ourselves; as root `postgres` where it exists, else `nobody`; no user is ever created."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), {})
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []})
    raise LookupError("root cannot run PostgreSQL, and there is neither a user postgres nor nobody to run it as")
