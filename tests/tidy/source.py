"""The source as the tidy tests read it: its files, its modules and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "services", "projections", "adapters")


def committed_files() -> list[Path]:
    """Every file that is, or with the next commit could be, part of the product."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return sorted({path for path in paths if path.is_file()})


def name_of(path: Path) -> str:
    """A file's path as people say it."""
    return path.relative_to(ROOT).as_posix()


def modules(package: str) -> list[Path]:
    """The Python files of one of our packages."""
    return sorted((ROOT / package).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def methods(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every method with its qualified name."""
    for parent in ast.walk(tree):
        if isinstance(parent, ast.ClassDef):
            for child in parent.body:
                if isinstance(child, ast.FunctionDef):
                    yield f"{parent.name}.{child.name}", child


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name: `now` of `datetime.now`; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
