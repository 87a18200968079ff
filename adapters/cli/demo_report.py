"""What the demo expected, what it found, and whether that is the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.cli.answer import jsonable


@dataclass(frozen=True)
class Checked:
    """One expectation."""

    step: str
    what: str
    expected: Any
    actual: Any

    @property
    def equal(self) -> bool:
        return bool(self.expected == self.actual)


@dataclass
class Report:
    """All expectations of one run."""

    organization: str = ""
    broker: str = ""
    api: str = ""  # where the HTTP API answered
    checks: list[Checked] = field(default_factory=list)

    @property
    def differing(self) -> list[Checked]:
        return [one for one in self.checks if not one.equal]

    @property
    def data(self) -> dict[str, Any]:
        return {
            "as_expected": not self.differing,
            "organization": self.organization,
            "broker": self.broker,
            "api": self.api,
            "finished_at": datetime.now(UTC),
            "checks": [
                {"step": one.step, "what": one.what, "expected": one.expected, "actual": one.actual, "equal": one.equal}
                for one in self.checks
            ],
        }

    def write(self, path: Path) -> None:
        """Writes the report, whole or not at all."""
        new = path.with_suffix(".new")
        new.write_text(json.dumps(self.data, indent=2, default=jsonable) + "\n", encoding="utf-8")
        new.replace(path)
