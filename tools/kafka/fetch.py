"""Fetches the jars of Apache Kafka with Maven into `target/libs`, once, and checks each against `jars.sha256`.

python tools/kafka/fetch.py            does nothing when they are all there
python tools/kafka/fetch.py --record   fetches again and writes jars.sha256, after a version in pom.xml was changed
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBS = HERE / "target" / "libs"
CHECKSUMS = HERE / "jars.sha256"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class FetchFailed(Exception):
    """The jars cannot be had; one line that says why."""


def recorded() -> dict[str, str]:
    """Gives the sha256 of every jar by its name."""
    lines = CHECKSUMS.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def is_complete(libs: Path = LIBS) -> bool:
    """Tells whether every jar is there; they were checked when they came."""
    return all((libs / name).is_file() for name in recorded())


def fetch() -> None:
    """Fetches what is not there; two at once wait for each other, and an interrupted one leaves nothing half."""
    LIBS.parent.mkdir(exist_ok=True)
    with (LIBS.parent / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_complete():
            return
        with tempfile.TemporaryDirectory(dir=LIBS.parent, prefix="fetching-") as folder:
            libs = Path(folder) / "libs"
            _copy_with_maven(libs)
            _check(libs)
            shutil.rmtree(LIBS, ignore_errors=True)
            libs.rename(LIBS)


def record() -> None:
    """Fetches the jars that pom.xml names now and writes down their checksums."""
    with tempfile.TemporaryDirectory(prefix="kafka-jars-") as folder:
        _copy_with_maven(Path(folder))
        jars = sorted(Path(folder).glob("*.jar"))
        CHECKSUMS.write_text("".join(f"{_sha256(jar)}  {jar.name}\n" for jar in jars), encoding="utf-8")


def _copy_with_maven(libs: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise FetchFailed("Maven is not installed, or mvn is not on the PATH")
    done = subprocess.run(
        [
            *(maven, "--batch-mode", "--quiet", "--file", str(HERE / "pom.xml"), _COPY),
            *("-DincludeScope=runtime", f"-DoutputDirectory={libs}"),
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise FetchFailed(f"Maven could not fetch the jars: {(errors or ['it did not say why'])[0].strip()}")


def _check(libs: Path) -> None:
    expected = recorded()
    found = {jar.name: _sha256(jar) for jar in libs.glob("*.jar")}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise FetchFailed(f"these jars are not the ones in {CHECKSUMS.name}: {', '.join(wrong)}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write jars.sha256 from what pom.xml names now")
    try:
        if parser.parse_args().record:
            record()
        elif not is_complete():
            print(
                f"fetching Apache Kafka with Maven into {LIBS.relative_to(HERE)}: a minute or two, only once",
                flush=True,
            )
            fetch()
    except FetchFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
