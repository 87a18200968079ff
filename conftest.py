"""What holds for every test: fast ones get no sockets, Kafka is there or the reason is told, CI skips nothing."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
WITHOUT_SOCKETS = [ROOT / "tests" / name for name in ("domain", "tidy")]
KAFKA_LIBRARIES = ROOT / "tools" / "kafka" / "target" / "libs"


def asked(name: str) -> bool:
    """Tells whether an environment variable is set to something other than 0."""
    return os.environ.get(name, "0") not in {"", "0"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    has_kafka = shutil.which("java") is not None and any(KAFKA_LIBRARIES.glob("kafka_*.jar"))
    no_kafka = pytest.mark.skip(reason="Apache Kafka is not here: install Java 17 and Maven, then run `make kafka`")
    for item in items:
        if any(folder in item.path.parents for folder in WITHOUT_SOCKETS):
            item.add_marker(pytest.mark.disable_socket)
        if item.get_closest_marker("kafka") and not has_kafka and not asked("SEATLEDGER_REQUIRE_KAFKA"):
            item.add_marker(no_kafka)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip, or an expected failure, into a failure where SEATLEDGER_NO_SKIPS is set."""
    if report.outcome == "skipped" and asked("SEATLEDGER_NO_SKIPS"):
        report.outcome = "failed"
        reason = getattr(report, "wasxfail", report.longrepr)
        report.longrepr = f"skipped, and SEATLEDGER_NO_SKIPS is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report
