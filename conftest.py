"""What holds for every test: fast ones get no sockets, and CI skips nothing."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
WITHOUT_SOCKETS = [ROOT / "tests" / name for name in ("domain", "services", "projections", "tidy")]
SERVERS = {"postgres", "kafka"}

pytest.register_assert_rewrite("tests.scenario", "tests.services.questions")  # they assert on behalf of tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fast = SERVERS.isdisjoint(getattr(item, "fixturenames", ()))
        if fast and any(folder in item.path.parents for folder in WITHOUT_SOCKETS):
            item.add_marker(pytest.mark.disable_socket)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip, or an expected failure, into a failure where SEATLEDGER_NO_SKIPS is set."""
    if report.outcome == "skipped" and os.environ.get("SEATLEDGER_NO_SKIPS"):
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
