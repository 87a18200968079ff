"""The house: packages are ours, every operation has a test of its name, names say something, files stay short."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.tidy.source import PACKAGES, ROOT, committed_files, modules, name_of, tree_of

EMPTY_WORDS = {"manager", "managers", "helper", "helpers", "util", "utils", "handler", "handlers", "process", "data"}
LONGEST_FILE = 400  # lines; past about 250 a file is two ideas
LONGEST_TOLD_IN_ONE = 650
TOLD_IN_ONE: dict[str, str] = {
    "domain/invoice.py": "an aggregate: its events, what may be asked, how it decides, how it applies",
    "domain/license_pool.py": "an aggregate",
    "domain/payment.py": "an aggregate",
    "domain/refusals.py": "one list of every refusal, a few lines each; it is looked up by name",
    "domain/subscription.py": "an aggregate",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_imported_package_is_ours(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None, f"{package}/ has no __init__.py; give it one that says in a sentence what it is"
    assert Path(file).resolve().parent == (ROOT / package).resolve(), (
        f"`import {package}` gives {file}: another installed distribution has a package of this name; uninstall it"
    )


def is_operation(path: Path) -> bool:
    """An operation is a file in services/ that defines the function of its own name."""
    return any(isinstance(node, ast.FunctionDef) and node.name == path.stem for node in tree_of(path).body)


def test_every_operation_has_a_test_of_its_name() -> None:
    missing = [
        f"{name_of(path)} → tests/services/test_{path.stem}.py"
        for path in modules("services")
        if is_operation(path) and not (ROOT / "tests" / "services" / f"test_{path.stem}.py").is_file()
    ]
    assert not missing, "an operation is tested under its name (told, repeated, refused, conflicted); write:\n" + (
        "\n".join(missing)
    )


def test_module_names_say_something() -> None:
    empty = [
        name_of(path)
        for path in committed_files()
        if path.suffix == ".py"
        for part in path.relative_to(ROOT).with_suffix("").parts
        if EMPTY_WORDS & set(part.lower().split("_"))
    ]
    assert not empty, "a module is a noun of the business or verb_noun; rename:\n" + "\n".join(empty)


def test_files_stay_short() -> None:
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in committed_files()
        if path.suffix in {".py", ".sql", ".sh"}
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}
    cure = f"more than {LONGEST_FILE} lines are two ideas; part these files:\n"
    assert not (parts := long.keys() - TOLD_IN_ONE), cure + "\n".join(f"{name}: {long[name]} lines" for name in parts)
    assert max(long.values(), default=0) <= LONGEST_TOLD_IN_ONE, "even what is told in one is too long to be read"
    assert not (short := TOLD_IN_ONE.keys() - long), f"short by now, take them from TOLD_IN_ONE: {sorted(short)}"


def test_every_test_file_is_collected() -> None:
    """A test file named otherwise would silently never run."""
    lost = [
        name_of(path)
        for path in modules("tests")
        if not path.name.startswith("test_")
        and re.search(r"^def test_", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert not lost, "files with tests are named test_*.py, or pytest does not see them; rename:\n" + "\n".join(lost)
