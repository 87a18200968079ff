"""Writes what the HTTP API promises: docs/openapi.json, its problems as docs/problems.md, and docs/who-may.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.http.app import routed
from adapters.http.problems import REFUSED, REQUEST, Kind
from tools.contract.who_may import who_may

DOCS = Path(__file__).parents[2] / "docs"
PROBLEMS_HEAD = """\
# Problems

Every refusal and error of the HTTP API is `application/problem+json` (RFC 9457). Programs decide by `code`; `detail`
says what happened and what to do, `facts` holds the numbers and names in it, `errors` the places in the input. Nothing
repeats what was sent. `type` is the path of the same explanation on every server: `/problems/<code>`.

This page is made by `make contract`; what it says stands in `adapters/http/problems.py`.
"""


def openapi() -> str:
    """The document as it is committed."""
    return json.dumps(routed().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def problems() -> str:
    """The help pages on one page."""
    return "\n".join(
        [
            PROBLEMS_HEAD,
            *table("Of the request", REQUEST),
            "",
            *table("Of the business: refusals", REFUSED),
            "",
        ]
    )


def table(title: str, kinds: dict[str, Kind]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| code | status | what it is | what to do |"
    yield "|---|---|---|---|"
    for code, kind in sorted(kinds.items()):
        again = f" May be tried again after {kind.retry_after_s} s." if kind.retry_after_s else ""
        yield f"| `{code}` | {kind.status} | {kind.title} | {kind.help}{again} |"


PAGES = {"openapi.json": openapi, "problems.md": problems, "who-may.md": who_may}

if __name__ == "__main__":
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), encoding="utf-8")
        print(f"docs/{name}")
