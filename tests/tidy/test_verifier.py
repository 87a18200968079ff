"""The verifier of packs is one file that an auditor can read and take along: it needs nothing of the product."""

import ast
import sys

from tests.tidy.source import ROOT

VERIFIER = ROOT / "adapters" / "proof" / "verify_pack.py"
LONGEST = 400  # lines: an auditor reads it before trusting it


def test_the_verifier_needs_the_standard_library_and_cryptography_alone() -> None:
    needed = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            needed |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert not node.level
            needed.add(node.module.split(".")[0])
        elif isinstance(node, ast.Name):
            assert node.id not in {"__import__", "eval", "exec", "importlib"}
    others = needed - sys.stdlib_module_names - {"cryptography"}
    assert not others, f"an auditor has only Python and cryptography; write what {sorted(others)} gives into the file"
    assert "cryptography" in needed


def test_the_verifier_can_be_read_in_an_hour() -> None:
    lines = VERIFIER.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST, "what an auditor is to read must stay short; what else it does belongs elsewhere"
