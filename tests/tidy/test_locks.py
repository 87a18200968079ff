"""The locks: every version with its hashes, no index address, and the image runs what was tested."""

import json
import re

import pytest

from tests.tidy.source import ROOT

CURE = "run `make lock`"
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.\-]*)==(?P<version>[^ ;\\]+)(?P<rest>.*)$")


def pins(name: str) -> dict[str, str]:
    """Reads name → version of a lock; refuses every line that is neither a pin, its hashes nor a comment."""
    versions: dict[str, str] = {}
    hashed: dict[str, int] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if pin := PIN.match(line):
            current = pin["name"]
            versions[current], hashed[current] = pin["version"], 0
        elif text.startswith("--hash=sha256:"):
            hashed[current] += 1
        else:
            assert not text or text.startswith("#"), f"requirements/{name}.txt: {line!r} is no pin; {CURE}"
    bare = [package for package, count in hashed.items() if not count]
    assert versions, f"requirements/{name}.txt pins nothing; {CURE}"
    assert not bare, f"requirements/{name}.txt: {bare} have no hash; {CURE}"
    return versions


@pytest.mark.parametrize("name", ["client", "fuzz", "oracle"])
def test_what_is_kept_apart_is_pinned_too(name: str) -> None:
    assert pins(name)


def test_node_s_lock_pins_and_names_no_address() -> None:
    text = (ROOT / "tools" / "node" / "package-lock.json").read_text(encoding="utf-8")
    bare = [name for name, one in json.loads(text)["packages"].items() if name and "integrity" not in one]
    assert not bare, f"{bare} have no hash"
    assert "://" not in text, "take `resolved` and `funding` out: where packages come from is the client's own setting"


@pytest.mark.parametrize("name", ["runtime", "build"])
def test_the_image_runs_what_was_tested(name: str) -> None:
    tested = pins("lock")
    different = {package: version for package, version in pins(name).items() if tested.get(package) != version}
    assert not different, f"requirements/{name}.txt has other versions than lock.txt: {different}; {CURE}"
