"""The wheel holds the whole product: what a checkout can do, an installed seatledger can do."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.tidy.source import PACKAGES, committed_files, name_of


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    checkout, wheels = tmp_path / "a check out", tmp_path / "wheels"
    for path in committed_files():
        copy = checkout / name_of(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    build = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    done = subprocess.run([*build, wheels, checkout], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [wheel] = wheels.iterdir()
    with ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    ours = {name_of(path) for path in committed_files() if name_of(path).split("/")[0] in PACKAGES}
    left_out = sorted(ours - packed)
    assert not left_out, f"add the kind of these files to [tool.setuptools.package-data] in pyproject.toml: {left_out}"
    assert not [name for name in packed if name.startswith(("tests/", "tools/", "bench/"))]
