"""A client that openapi-python-client makes of docs/openapi.json, and its calls by the names of the operations."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[3]
GENERATOR = ROOT / ".venv" / "client" / "bin"  # made by `make .venv/client.stamp`; with versions of its own
DOCUMENT, CONFIGURATION = ROOT / "docs" / "openapi.json", ROOT / "tools" / "contract" / "client.yaml"
PACKAGE = "seatledger_client"


def generate(folder: Path) -> str:
    """Makes the package in a folder; what the generator says about the document, which is nothing but its name."""
    command = [str(GENERATOR / "openapi-python-client"), "generate", "--path", str(DOCUMENT), "--meta", "none"]
    command += ["--config", str(CONFIGURATION), "--output-path", str(folder / PACKAGE), "--fail-on-warning"]
    environment = {**os.environ, "PATH": f"{GENERATOR}{os.pathsep}{os.environ['PATH']}"}  # it formats by ruff
    done = subprocess.run(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Generated:
    """The package, its models, and a client for a token."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        try:
            self.package: Any = importlib.import_module(PACKAGE)
            self.models: Any = importlib.import_module(f"{PACKAGE}.models")
            self.operations = self._operations()
        finally:
            sys.path.remove(str(folder))

    def _operations(self) -> dict[str, ModuleType]:
        """By their operation id; every module of the package is imported."""
        found: dict[str, ModuleType] = {}
        for one in pkgutil.walk_packages(self.package.__path__, f"{PACKAGE}."):
            module = importlib.import_module(one.name)
            if hasattr(module, "sync_detailed"):
                found[one.name.rpartition(".")[2]] = module
        return found

    @contextmanager
    def caller(self, address: str, token: str, organization: str) -> Iterator[Caller]:
        """Somebody who calls, by a token."""
        with self.package.AuthenticatedClient(base_url=address, token=token) as client:
            yield Caller(self, client, organization)


class Caller:
    """Somebody's client, for one organization."""

    def __init__(self, generated: Generated, client: Any, organization: str) -> None:
        self.generated, self.client, self.organization = generated, client, organization

    def asks(self, operation: str, *path: Any, **more: Any) -> Any:
        """The answer of an operation, parsed and in full; what changes something has a key of its own."""
        module: Any = self.generated.operations[operation]
        takes = module.sync_detailed.__annotations__
        if "idempotency_key" in takes:
            more.setdefault("idempotency_key", str(uuid4()))
        place = [self.organization, *path] if "organization" in takes else path
        return module.sync_detailed(*place, client=self.client, **more)

    def gets(self, operation: str, *path: Any, **more: Any) -> Any:
        """What an operation that succeeds answers: an instance of its type."""
        answer = self.asks(operation, *path, **more)
        assert 200 <= answer.status_code < 300, answer.content
        assert answer.parsed is not None
        assert not isinstance(answer.parsed, self.generated.models.Problem)
        return answer.parsed

    def is_refused(self, code: str, operation: str, *path: Any, **more: Any) -> Any:
        """The problem that an operation answers, typed as one."""
        answer = self.asks(operation, *path, **more)
        assert isinstance(answer.parsed, self.generated.models.Problem)
        assert (answer.parsed.code, answer.parsed.status) == (code, int(answer.status_code)), answer.content
        return answer.parsed
